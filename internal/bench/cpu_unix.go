//go:build unix

package bench

import "golang.org/x/sys/unix"

// ProcessorSeconds is how long the processor's cores have worked for this
// process, all added up; 0 where the system does not say.
func ProcessorSeconds() float64 {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
