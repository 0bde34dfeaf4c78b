//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"

// Loops over vectors: four floats at a time and, where fewer are left, one at a
// time in the lowest lane, with the same instructions. Vectors that are read or
// written are at R0 to R4, in the order of the arguments, n in R5. The arithmetic
// is that of the reference, in ref_vec.go, and of the AVX2 kind in every rounding.

// func neonNormScale(dst, x, w *float32, n int, rinv float32)
TEXT ·neonNormScale(SB), NOSPLIT, $0-36
	MOVD dst+0(FP), R0
	MOVD x+8(FP), R1
	MOVD w+16(FP), R2
	MOVD n+24(FP), R5
	FMOVS rinv+32(FP), F16
	VDUP V16.S[0], V16.S4
	SUBS $4, R5
	BLT  tail

	// 7 instructions for four elements.
loop:
	FMOVQ.P 16(R1), F0
	FMOVQ.P 16(R2), F1
	FMUL4(16, 0, 2)
	FMUL4(1, 2, 2)
	FMOVQ.P F2, 16(R0)
	SUBS $4, R5
	BGE  loop

tail:
	ADDS $4, R5
	BEQ  end

single:
	FMOVS.P 4(R1), F0
	FMOVS.P 4(R2), F1
	FMUL4(16, 0, 2)
	FMUL4(1, 2, 2)
	FMOVS.P F2, 4(R0)
	SUBS $1, R5
	BNE  single

end:
	RET

// func neonNormGrad(dx, dy, x, w *float32, n int, rinv, c float32)
TEXT ·neonNormGrad(SB), NOSPLIT, $0-48
	MOVD dx+0(FP), R0
	MOVD dy+8(FP), R1
	MOVD x+16(FP), R2
	MOVD w+24(FP), R3
	MOVD n+32(FP), R5
	FMOVS rinv+40(FP), F16
	VDUP V16.S[0], V16.S4
	FMOVS c+44(FP), F17
	VDUP V17.S[0], V17.S4
	SUBS $4, R5
	BLT  tail

	// 10 instructions for four elements.
loop:
	FMOVQ (R0), F0
	FMOVQ.P 16(R1), F1
	FMOVQ.P 16(R2), F2
	FMOVQ.P 16(R3), F3
	FMUL4(3, 1, 4)
	FMLS4(17, 2, 4)
	FMLA4(16, 4, 0)
	FMOVQ.P F0, 16(R0)
	SUBS $4, R5
	BGE  loop

tail:
	ADDS $4, R5
	BEQ  end

single:
	FMOVS (R0), F0
	FMOVS.P 4(R1), F1
	FMOVS.P 4(R2), F2
	FMOVS.P 4(R3), F3
	FMUL4(3, 1, 4)
	FMLS4(17, 2, 4)
	FMLA4(16, 4, 0)
	FMOVS.P F0, 4(R0)
	SUBS $1, R5
	BNE  single

end:
	RET

// func neonRope(lo, hi, cos, sin *float32, n int)
TEXT ·neonRope(SB), NOSPLIT, $0-40
	MOVD lo+0(FP), R0
	MOVD hi+8(FP), R1
	MOVD cos+16(FP), R2
	MOVD sin+24(FP), R3
	MOVD n+32(FP), R5
	SUBS $4, R5
	BLT  tail

	// 13 instructions for four elements.
loop:
	FMOVQ (R0), F0
	FMOVQ (R1), F1
	FMOVQ.P 16(R2), F2
	FMOVQ.P 16(R3), F3
	FMUL4(3, 1, 4)
	FNEG4(4, 4)
	FMLA4(2, 0, 4)
	FMUL4(3, 0, 5)
	FMLA4(2, 1, 5)
	FMOVQ.P F4, 16(R0)
	FMOVQ.P F5, 16(R1)
	SUBS $4, R5
	BGE  loop

tail:
	ADDS $4, R5
	BEQ  end

single:
	FMOVS (R0), F0
	FMOVS (R1), F1
	FMOVS.P 4(R2), F2
	FMOVS.P 4(R3), F3
	FMUL4(3, 1, 4)
	FNEG4(4, 4)
	FMLA4(2, 0, 4)
	FMUL4(3, 0, 5)
	FMLA4(2, 1, 5)
	FMOVS.P F4, 4(R0)
	FMOVS.P F5, 4(R1)
	SUBS $1, R5
	BNE  single

end:
	RET

// func neonRopeGrad(lo, hi, cos, sin *float32, n int)
TEXT ·neonRopeGrad(SB), NOSPLIT, $0-40
	MOVD lo+0(FP), R0
	MOVD hi+8(FP), R1
	MOVD cos+16(FP), R2
	MOVD sin+24(FP), R3
	MOVD n+32(FP), R5
	SUBS $4, R5
	BLT  tail

	// 13 instructions for four elements.
loop:
	FMOVQ (R0), F0
	FMOVQ (R1), F1
	FMOVQ.P 16(R2), F2
	FMOVQ.P 16(R3), F3
	FMUL4(3, 1, 4)
	FMLA4(2, 0, 4)
	FMUL4(3, 0, 5)
	FNEG4(5, 5)
	FMLA4(2, 1, 5)
	FMOVQ.P F4, 16(R0)
	FMOVQ.P F5, 16(R1)
	SUBS $4, R5
	BGE  loop

tail:
	ADDS $4, R5
	BEQ  end

single:
	FMOVS (R0), F0
	FMOVS (R1), F1
	FMOVS.P 4(R2), F2
	FMOVS.P 4(R3), F3
	FMUL4(3, 1, 4)
	FMLA4(2, 0, 4)
	FMUL4(3, 0, 5)
	FNEG4(5, 5)
	FMLA4(2, 1, 5)
	FMOVS.P F4, 4(R0)
	FMOVS.P F5, 4(R1)
	SUBS $1, R5
	BNE  single

end:
	RET

// func neonSoftmaxGrad(ds, p, dp *float32, n int, d, scale float32)
TEXT ·neonSoftmaxGrad(SB), NOSPLIT, $0-40
	MOVD ds+0(FP), R0
	MOVD p+8(FP), R1
	MOVD dp+16(FP), R2
	MOVD n+24(FP), R5
	FMOVS d+32(FP), F16
	VDUP V16.S[0], V16.S4
	FMOVS scale+36(FP), F17
	VDUP V17.S[0], V17.S4
	SUBS $4, R5
	BLT  tail

	// 8 instructions for four elements.
loop:
	FMOVQ.P 16(R1), F0
	FMOVQ.P 16(R2), F1
	FSUB4(16, 1, 2)
	FMUL4(0, 2, 2)
	FMUL4(17, 2, 2)
	FMOVQ.P F2, 16(R0)
	SUBS $4, R5
	BGE  loop

tail:
	ADDS $4, R5
	BEQ  end

single:
	FMOVS.P 4(R1), F0
	FMOVS.P 4(R2), F1
	FSUB4(16, 1, 2)
	FMUL4(0, 2, 2)
	FMUL4(17, 2, 2)
	FMOVS.P F2, 4(R0)
	SUBS $1, R5
	BNE  single

end:
	RET

// func neonAdd(dst, a *float32, n int)
TEXT ·neonAdd(SB), NOSPLIT, $0-24
	MOVD dst+0(FP), R0
	MOVD a+8(FP), R1
	MOVD n+16(FP), R5
	SUBS $4, R5
	BLT  tail

	// 6 instructions for four elements.
loop:
	FMOVQ (R0), F0
	FMOVQ.P 16(R1), F1
	FADD4(1, 0, 0)
	FMOVQ.P F0, 16(R0)
	SUBS $4, R5
	BGE  loop

tail:
	ADDS $4, R5
	BEQ  end

single:
	FMOVS (R0), F0
	FMOVS.P 4(R1), F1
	FADD4(1, 0, 0)
	FMOVS.P F0, 4(R0)
	SUBS $1, R5
	BNE  single

end:
	RET

// func neonAddScaled(dst, a *float32, n int, s float32)
TEXT ·neonAddScaled(SB), NOSPLIT, $0-28
	MOVD dst+0(FP), R0
	MOVD a+8(FP), R1
	MOVD n+16(FP), R5
	FMOVS s+24(FP), F16
	VDUP V16.S[0], V16.S4
	SUBS $4, R5
	BLT  tail

	// 6 instructions for four elements.
loop:
	FMOVQ (R0), F0
	FMOVQ.P 16(R1), F1
	FMLA4(16, 1, 0)
	FMOVQ.P F0, 16(R0)
	SUBS $4, R5
	BGE  loop

tail:
	ADDS $4, R5
	BEQ  end

single:
	FMOVS (R0), F0
	FMOVS.P 4(R1), F1
	FMLA4(16, 1, 0)
	FMOVS.P F0, 4(R0)
	SUBS $1, R5
	BNE  single

end:
	RET

// func neonScale(dst *float32, n int, s float32)
TEXT ·neonScale(SB), NOSPLIT, $0-20
	MOVD dst+0(FP), R0
	MOVD n+8(FP), R5
	FMOVS s+16(FP), F16
	VDUP V16.S[0], V16.S4
	SUBS $4, R5
	BLT  tail

	// 5 instructions for four elements.
loop:
	FMOVQ (R0), F0
	FMUL4(16, 0, 0)
	FMOVQ.P F0, 16(R0)
	SUBS $4, R5
	BGE  loop

tail:
	ADDS $4, R5
	BEQ  end

single:
	FMOVS (R0), F0
	FMUL4(16, 0, 0)
	FMOVS.P F0, 4(R0)
	SUBS $1, R5
	BNE  single

end:
	RET

// func neonMul(dst, a, b *float32, n int)
TEXT ·neonMul(SB), NOSPLIT, $0-32
	MOVD dst+0(FP), R0
	MOVD a+8(FP), R1
	MOVD b+16(FP), R2
	MOVD n+24(FP), R5
	SUBS $4, R5
	BLT  tail

	// 6 instructions for four elements.
loop:
	FMOVQ.P 16(R1), F0
	FMOVQ.P 16(R2), F1
	FMUL4(1, 0, 2)
	FMOVQ.P F2, 16(R0)
	SUBS $4, R5
	BGE  loop

tail:
	ADDS $4, R5
	BEQ  end

single:
	FMOVS.P 4(R1), F0
	FMOVS.P 4(R2), F1
	FMUL4(1, 0, 2)
	FMOVS.P F2, 4(R0)
	SUBS $1, R5
	BNE  single

end:
	RET

// func neonAddProduct(dst, a, b *float32, n int)
TEXT ·neonAddProduct(SB), NOSPLIT, $0-32
	MOVD dst+0(FP), R0
	MOVD a+8(FP), R1
	MOVD b+16(FP), R2
	MOVD n+24(FP), R5
	SUBS $4, R5
	BLT  tail

	// 7 instructions for four elements.
loop:
	FMOVQ (R0), F0
	FMOVQ.P 16(R1), F1
	FMOVQ.P 16(R2), F2
	FMLA4(2, 1, 0)
	FMOVQ.P F0, 16(R0)
	SUBS $4, R5
	BGE  loop

tail:
	ADDS $4, R5
	BEQ  end

single:
	FMOVS (R0), F0
	FMOVS.P 4(R1), F1
	FMOVS.P 4(R2), F2
	FMLA4(2, 1, 0)
	FMOVS.P F0, 4(R0)
	SUBS $1, R5
	BNE  single

end:
	RET

// func neonAdamW(p, m, v, grad *float32, n int, keep, mCoef, beta2, vCoef, c2Root, eps, negStep float32)
TEXT ·neonAdamW(SB), NOSPLIT, $0-68
	MOVD p+0(FP), R0
	MOVD m+8(FP), R1
	MOVD v+16(FP), R2
	MOVD grad+24(FP), R3
	MOVD n+32(FP), R5
	FMOVS keep+40(FP), F16
	VDUP V16.S[0], V16.S4
	FMOVS mCoef+44(FP), F17
	VDUP V17.S[0], V17.S4
	FMOVS beta2+48(FP), F18
	VDUP V18.S[0], V18.S4
	FMOVS vCoef+52(FP), F19
	VDUP V19.S[0], V19.S4
	FMOVS c2Root+56(FP), F20
	VDUP V20.S[0], V20.S4
	FMOVS eps+60(FP), F21
	VDUP V21.S[0], V21.S4
	FMOVS negStep+64(FP), F22
	VDUP V22.S[0], V22.S4
	SUBS $4, R5
	BLT  tail

	// 22 instructions for four elements.
loop:
	FMOVQ (R0), F0
	FMOVQ (R1), F1
	FMOVQ (R2), F2
	FMOVQ.P 16(R3), F3
	FSUB4(1, 3, 4)
	FMLA4(17, 4, 1)
	FMUL4(3, 19, 4)
	FMUL4(3, 4, 4)
	FMUL4(18, 2, 2)
	FADD4(4, 2, 2)
	FSQRT4(2, 4)
	FDIV4(20, 4, 4)
	FADD4(21, 4, 4)
	FMUL4(1, 22, 5)
	FDIV4(4, 5, 5)
	FMUL4(16, 0, 0)
	FADD4(5, 0, 0)
	FMOVQ.P F0, 16(R0)
	FMOVQ.P F1, 16(R1)
	FMOVQ.P F2, 16(R2)
	SUBS $4, R5
	BGE  loop

tail:
	ADDS $4, R5
	BEQ  end

single:
	FMOVS (R0), F0
	FMOVS (R1), F1
	FMOVS (R2), F2
	FMOVS.P 4(R3), F3
	FSUB4(1, 3, 4)
	FMLA4(17, 4, 1)
	FMUL4(3, 19, 4)
	FMUL4(3, 4, 4)
	FMUL4(18, 2, 2)
	FADD4(4, 2, 2)
	FSQRT4(2, 4)
	FDIV4(20, 4, 4)
	FADD4(21, 4, 4)
	FMUL4(1, 22, 5)
	FDIV4(4, 5, 5)
	FMUL4(16, 0, 0)
	FADD4(5, 0, 0)
	FMOVS.P F0, 4(R0)
	FMOVS.P F1, 4(R1)
	FMOVS.P F2, 4(R2)
	SUBS $1, R5
	BNE  single

end:
	RET
