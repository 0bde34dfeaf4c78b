package avx

// The numbers of e^x, those of the reference in ref_vec.go: x is held between ExpMin
// and ExpMax, and ln 2 has a high and a low part.
const (
	ExpMax   = 89
	ExpMin   = -104
	ExpLog2e = 1.44269504088896341
	ExpLn2Hi = 0.693359375
	ExpLn2Lo = -2.12194440e-4
)

// ExpPoly is the polynomial of what is left of x, the highest power first.
var ExpPoly = []float32{1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1}
