package bench

import "golang.org/x/sys/cpu"

// Flags are the abilities of the CPU that kernels use or could use, by the names
// that Linux has for them.
func Flags() []string {
	x, a := &cpu.X86, &cpu.ARM64
	flags := []string{}
	for _, f := range []struct {
		name string
		has  bool
	}{
		{"avx2", x.HasAVX2}, {"fma", x.HasFMA}, {"f16c", x.HasF16C}, {"bmi2", x.HasBMI2}, {"avx_vnni", x.HasAVXVNNI}, {"avx_vnni_int8", x.HasAVXVNNIInt8},
		{"avx512f", x.HasAVX512F}, {"avx512dq", x.HasAVX512DQ}, {"avx512bw", x.HasAVX512BW}, {"avx512vl", x.HasAVX512VL},
		{"avx512vbmi", x.HasAVX512VBMI}, {"avx512_vnni", x.HasAVX512VNNI}, {"avx512_bf16", x.HasAVX512BF16},
		{"amx_tile", x.HasAMXTile}, {"amx_bf16", x.HasAMXBF16}, {"amx_int8", x.HasAMXInt8},
		{"asimd", a.HasASIMD}, {"asimdhp", a.HasASIMDHP}, {"asimddp", a.HasASIMDDP}, {"i8mm", a.HasI8MM}, {"sve", a.HasSVE}, {"sve2", a.HasSVE2},
	} {
		if f.has {
			flags = append(flags, f.name)
		}
	}
	return flags
}
