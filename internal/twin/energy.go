package twin

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// energy is a reading of the processor's energy counters (RAPL, which Linux
// shows below /sys/class/powercap), in microjoules by counter.
type energy map[string]float64

// readEnergy reads the counters of whole packages; there are none on machines
// that tell nothing.
func readEnergy() energy {
	e := energy{}
	zones, err := filepath.Glob("/sys/class/powercap/intel-rapl:[0-9]*")
	if err != nil {
		return e
	}
	for _, z := range zones {
		if strings.Count(filepath.Base(z), ":") != 1 {
			continue
		}
		if v, ok := counter(filepath.Join(z, "energy_uj")); ok {
			e[z] = v
		}
	}
	return e
}

func counter(path string) (float64, bool) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(string(b)), 64)
	return v, err == nil
}

// since is the energy used since the reading in watt-hours; nil where the
// machine tells nothing. A counter that began anew is taken from its range.
func (e energy) since() *float64 {
	now := readEnergy()
	if len(e) == 0 || len(now) == 0 {
		return nil
	}
	var uj float64
	for z, was := range e {
		d := now[z] - was
		if d < 0 {
			top, _ := counter(filepath.Join(z, "max_energy_range_uj"))
			d += top
		}
		uj += d
	}
	wh := uj / 3.6e9
	return &wh
}
