package kernel

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// The kinds avx2 and neon have the same lanes and round in the same places, so
// that what one computes the other repeats bit for bit. TestSameBits holds both to
// the same sums over all results.
var sameBitsKinds = []string{"avx2", "avxvnni", "neon"}

// evenly is n numbers between -4 and 4, made without arithmetic that a compiler
// might fuse.
func evenly(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.IntN(1<<22)-1<<21) / (1 << 19)
	}
	return x
}

// bitsOf is a hash of the bits of the results.
func bitsOf(results ...[]float32) uint64 {
	h := fnv.New64a()
	for _, x := range results {
		for _, v := range x {
			b := math.Float32bits(v)
			h.Write([]byte{byte(b), byte(b >> 8), byte(b >> 16), byte(b >> 24)})
		}
	}
	return h.Sum64()
}

func TestSameBits(t *testing.T) {
	eachKind(t, func(t *testing.T) {
		if !slices.Contains(sameBitsKinds, Name()) {
			t.Skip("other lanes, or a compiler's rounding")
		}
		r := newRand(41)
		check := func(name string, want uint64, results ...[]float32) {
			t.Helper()
			if got := bitsOf(results...); got != want {
				t.Errorf("%s: results hash to %#x, not to %#x", name, got, want)
			}
		}
		const m, n, k = 23, 70, 1000
		a, b, c := evenly(r, m*k), evenly(r, n*k), make([]float32, m*n)
		MulNT(c, n, a, k, b, k, m, n, k)
		check("MulNT", 0x4e3eb29991379dec, c)
		AddNN(c, n, a, k, b, n, m, n, k)
		check("AddNN", 0xb139213667de62e2, c)
		AddTN(c, n, a, m, b, n, m, n, k)
		check("AddTN", 0x16941d274f3b47b3, c)
		AddNN(c, n, a, k, b, n, 3, n, k)
		check("AddNN of three rows", 0xad50a36d0dc0c8d, c)
		want := map[DType]uint64{
			F32: 0xa99c63a285ba8bd4, F16: 0xbf3d4bd485a62fc4, BF16: 0xabd2b55d9720d4ca,
			Q4_0: 0xa11817ecc54ef7de, Q4_1: 0x6da4091cb600d19f, Q5_0: 0x82ea112b141bd3dc,
			Q5_1: 0x6330b8255dbaa967, Q8_0: 0x1dfcf36bf5eaf3eb, Q4_K: 0xff22f88d19bb0a07,
			Q5_K: 0x549ca08b1844e821, Q6_K: 0xa507f04d298d7315,
		}
		for _, typ := range allTypes() {
			w := make([]byte, typ.RowBytes(n*1024))
			for i := range w {
				w[i] = byte(r.Uint32())
			}
			_, size := typ.Block()
			for at := 0; at < len(w); at += size {
				switch typ {
				case F32, BF16: // exponents near that of 1
					w[at+size-1] = w[at+size-1]&0x80 | 0x3f
				case F16:
					w[at+1] = w[at+1]&0x80 | 0x38
				}
				for _, s := range scaleAt[typ] {
					w[at+s+1] = w[at+s+1]&0x80 | 0x2c
				}
			}
			x, few := make([]float32, m*n), evenly(r, 4*1024)
			for rows := 1; rows <= 4; rows++ {
				MulQ(x[rows*n:], n, few, 1024, w, typ, nil, rows, n, 1024)
			}
			check("MulQ of "+typ.String(), want[typ], x)
		}
		x, y, z := evenly(r, 333), evenly(r, 333), evenly(r, 333)
		u, v := make([]float32, 333), make([]float32, 333)
		Exp(u, x)
		check("Exp", 0x3fd33740981cc62d, u)
		SiluMul(u, x, y)
		check("SiluMul", 0xd2bbcb71f351c67b, u)
		SiluMulGrad(u, v, z, x, y)
		check("SiluMulGrad", 0x17be59793b99ffb0, u, v)
		GeluTanhMul(u, x, y)
		check("GeluTanhMul", 0xe0854254aa0d6da2, u)
		GeluTanhMulGrad(u, v, z, x, y)
		check("GeluTanhMulGrad", 0x81e4107370d650b6, u, v)
		rinv := RMSNorm(u, x, y, 1e-5)
		check("RMSNorm", 0x18dcb2118a135bb7, u, []float32{rinv})
		RMSNormGrad(u, z, x, y, rinv)
		check("RMSNormGrad", 0x54e0d087b7a283eb, u)
		Rope(u[:332], x[:166], y[:166])
		check("Rope", 0x5e699fd30591a13b, u)
		RopeGrad(u[:332], x[:166], y[:166])
		check("RopeGrad", 0x3391f3e39d1de428, u)
		SoftmaxGrad(u, x, y, 0.3, 0.125)
		check("SoftmaxGrad", 0x8544b39be280e913, u)
		AddScaled(u, x, -1.7)
		AddProduct(u, x, y)
		check("AddScaled and AddProduct", 0x2842f74a569ef142, u)
		for i, g := range z {
			v[i] = g * g
		}
		p := slices.Clone(x)
		AdamW(p, u, v, y, 1e-2, 0.9, 0.999, 1e-8, 0.01, 0.271, 0.002997001)
		check("AdamW", 0x30bec379ac04d94, p, u, v)
		sum := ExpSum(u, 2)
		check("ExpSum", 0x15f5a0cc2d2b460d, u, []float32{sum, MaxOf(x), float32(SumSquares(x)), Dot(x, y)})
	})
}

// TestOuterBits compares the outer products of the two kinds that share what follows them.
func TestOuterBits(t *testing.T) {
	if !slices.Contains(Kinds(), "avx512") {
		t.Skip("no AVX-512")
	}
	defer Use(Name())
	r := newRand(42)
	for _, s := range []shape{{1, 64, 70}, {3, 130, 100}, {40, 16, 130}, {9, 33, 48}, {50, 64, 32}, {97, 290, 305}} {
		for _, o := range outers() {
			a, b, c := evenly(r, s.m*s.k), evenly(r, s.k*s.n), evenly(r, s.m*s.n)
			var got [2][]float32
			for i, kind := range []string{"avx2", "avx512"} {
				if err := Use(kind); err != nil {
					t.Fatal(err)
				}
				got[i] = slices.Clone(c)
				o.mul(got[i], s.n, a, b, s.n, s)
			}
			if bitsOf(got[0]) != bitsOf(got[1]) {
				t.Errorf("%s %v: AVX-512 gives other bits than AVX2", o.name, s)
			}
		}
	}
}
