package bench

import (
	"os"
	"path/filepath"
	"testing"
)

func TestEnergy(t *testing.T) {
	dir := t.TempDir()
	write := func(zone, file, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(dir, zone), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, zone, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if j := readEnergy(dir).Joules(); j != nil {
		t.Errorf("%g J where there is no counter", *j)
	}
	write("intel-rapl:0", "energy_uj", "1000000\n")
	write("intel-rapl:0", "max_energy_range_uj", "9000000\n")
	write("intel-rapl:1", "energy_uj", "8000000\n")
	write("intel-rapl:1", "max_energy_range_uj", "9000000\n")
	write("intel-rapl:0:0", "energy_uj", "5\n") // the cores of package 0
	write("intel-rapl:0", "name", "package-0\n")
	write("intel-rapl:2", "name", "psys\n") // both packages, and what is beside them
	write("intel-rapl:2", "energy_uj", "70\n")
	e := readEnergy(dir)
	if len(e) != 2 {
		t.Fatalf("counters %v", e)
	}
	write("intel-rapl:0", "energy_uj", "3500000\n")
	write("intel-rapl:1", "energy_uj", "500000\n") // began anew
	write("intel-rapl:0:0", "energy_uj", "900000\n")
	write("intel-rapl:2", "energy_uj", "7000000\n")
	if j := e.Joules(); j == nil || *j != 2.5+1.5 {
		t.Errorf("%v J, want 4", j)
	}
	if wh := e.WattHours(); wh == nil || *wh != 4./3600 {
		t.Errorf("%v Wh, want %g", wh, 4./3600)
	}
	write("intel-rapl:1", "energy_uj", "kept secret\n")
	if j := e.Joules(); j != nil {
		t.Errorf("%g J where a counter is not to be read any more", *j)
	}
}
