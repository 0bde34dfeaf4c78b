package bench

import "golang.org/x/sys/windows"

// ProcessorSeconds is how long the processor's cores have worked for this
// process, all added up; 0 where the system does not say.
func ProcessorSeconds() float64 {
	var created, ended, kernel, user windows.Filetime
	if windows.GetProcessTimes(windows.CurrentProcess(), &created, &ended, &kernel, &user) != nil {
		return 0
	}
	ticks := func(f windows.Filetime) float64 { return float64(uint64(f.HighDateTime)<<32 | uint64(f.LowDateTime)) }
	return (ticks(kernel) + ticks(user)) / 1e7 // of 100 ns
}
