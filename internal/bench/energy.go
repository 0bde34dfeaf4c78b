package bench

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Energy is a reading of the processor's energy counters (RAPL, which Linux
// shows below /sys/class/powercap), in microjoules by counter.
type Energy map[string]float64

// counters is where Linux shows them.
const counters = "/sys/class/powercap"

// ReadEnergy reads the counters of whole packages; there are none on machines
// that tell nothing.
func ReadEnergy() Energy { return readEnergy(counters) }

func readEnergy(dir string) Energy {
	e := Energy{}
	zones, err := filepath.Glob(filepath.Join(dir, "intel-rapl:[0-9]*"))
	if err != nil {
		return e
	}
	for _, z := range zones {
		if strings.Count(filepath.Base(z), ":") != 1 {
			continue // a part of a package, which has it already
		}
		if name, err := os.ReadFile(filepath.Join(z, "name")); err == nil && !strings.HasPrefix(string(name), "package") {
			continue // psys is the whole machine, packages among it
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

// Joules is the energy used since the reading, by all that the machine does; nil
// where it tells nothing. A counter that began anew is taken from its range.
func (e Energy) Joules() *float64 {
	if len(e) == 0 {
		return nil
	}
	var uj float64
	for z, was := range e {
		now, ok := counter(filepath.Join(z, "energy_uj"))
		if !ok {
			return nil
		}
		d := now - was
		if d < 0 {
			top, _ := counter(filepath.Join(z, "max_energy_range_uj"))
			d += top
		}
		uj += d
	}
	j := uj / 1e6
	return &j
}

// WattHours is the same in watt-hours.
func (e Energy) WattHours() *float64 {
	j := e.Joules()
	if j == nil {
		return nil
	}
	wh := *j / 3600
	return &wh
}
