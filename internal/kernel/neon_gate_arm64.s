//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"

// Loops over vectors with an exponential in them: four floats at a time and, where fewer are left, one at a
// time in the lowest lane, with the same instructions. Vectors that are read or
// written are at R0 to R4, in the order of the arguments, n in R5. The arithmetic
// is that of the reference, in ref_vec.go, and of the AVX2 kind in every rounding.

// V16 to V28: expMax, expMin, expLog2e, expLn2Hi, expLn2Lo, expP0 to expP5, 1, and
// the exponent bias 127 as an integer; for GELU geluScale, geluCube and three times
// geluCube in V29 to V31.
DATA  neonExpConst<>+0(SB)/4, $0x42B20000
DATA  neonExpConst<>+4(SB)/4, $0xC2D00000
DATA  neonExpConst<>+8(SB)/4, $0x3FB8AA3B
DATA  neonExpConst<>+12(SB)/4, $0x3F318000
DATA  neonExpConst<>+16(SB)/4, $0xB95E8083
DATA  neonExpConst<>+20(SB)/4, $0x39506967
DATA  neonExpConst<>+24(SB)/4, $0x3AB743CE
DATA  neonExpConst<>+28(SB)/4, $0x3C088908
DATA  neonExpConst<>+32(SB)/4, $0x3D2AA9C1
DATA  neonExpConst<>+36(SB)/4, $0x3E2AAAAA
DATA  neonExpConst<>+40(SB)/4, $0x3F000000
DATA  neonExpConst<>+44(SB)/4, $0x3F800000
DATA  neonExpConst<>+48(SB)/4, $0x0000007F
DATA  neonExpConst<>+52(SB)/4, $0x3FCC422A
DATA  neonExpConst<>+56(SB)/4, $0x3D372713
DATA  neonExpConst<>+60(SB)/4, $0x3E095D4F
GLOBL neonExpConst<>(SB), RODATA|NOPTR, $64

#define LOADEXP \
	MOVD  $neonExpConst<>(SB), R9; \
	VLD1R.P 4(R9), [V16.S4]; \
	VLD1R.P 4(R9), [V17.S4]; \
	VLD1R.P 4(R9), [V18.S4]; \
	VLD1R.P 4(R9), [V19.S4]; \
	VLD1R.P 4(R9), [V20.S4]; \
	VLD1R.P 4(R9), [V21.S4]; \
	VLD1R.P 4(R9), [V22.S4]; \
	VLD1R.P 4(R9), [V23.S4]; \
	VLD1R.P 4(R9), [V24.S4]; \
	VLD1R.P 4(R9), [V25.S4]; \
	VLD1R.P 4(R9), [V26.S4]; \
	VLD1R.P 4(R9), [V27.S4]; \
	VLD1R.P 4(R9), [V28.S4]

#define LOADGELU \
	LOADEXP; \
	VLD1R.P 4(R9), [V29.S4]; \
	VLD1R.P 4(R9), [V30.S4]; \
	VLD1R.P 4(R9), [V31.S4]

// EXP puts e^x into y and loses x, n and t: 28 instructions.
#define EXP(x, n, t, y) \
	FMIN4(16, x, x); \
	FMAX4(17, x, x); \
	FMUL4(18, x, n); \
	FRINTN4(n, n); \
	FMLS4(19, n, x); \
	FMLS4(20, n, x); \
	MOV16(22, y); \
	FMLA4(x, 21, y); \
	MOV16(23, t); \
	FMLA4(x, y, t); \
	MOV16(24, y); \
	FMLA4(x, t, y); \
	MOV16(25, t); \
	FMLA4(x, y, t); \
	MOV16(26, y); \
	FMLA4(x, t, y); \
	FMUL4(x, x, t); \
	FMLA4(t, y, x); \
	FADD4(27, x, y); \
	FCVTZS4(n, n); \
	SSHR4(1, n, t); \
	SUB4(t, n, n); \
	ADD4(28, t, t); \
	SHL4(23, t, t); \
	FMUL4(t, y, y); \
	ADD4(28, n, n); \
	SHL4(23, n, n); \
	FMUL4(n, y, y)

// SIGMOID puts 1 / (1 + e^-x) into y and keeps x: 31 instructions.
#define SIGMOID(x, a, n, t, y) \
	FNEG4(x, a); \
	EXP(a, n, t, y); \
	FADD4(27, y, y); \
	FDIV4(y, 27, y)

// GELUINNER puts 2*sqrt(2/pi) * (g + 0.044715*g^3) into y.
#define GELUINNER(g, t, y) \
	FMUL4(30, g, t); \
	FMUL4(g, t, t); \
	MOV16(g, y); \
	FMLA4(g, t, y); \
	FMUL4(29, y, y)

// func neonExp(dst, x *float32, n int)
TEXT ·neonExp(SB), NOSPLIT, $0-24
	MOVD dst+0(FP), R0
	MOVD x+8(FP), R1
	MOVD n+16(FP), R5
	LOADEXP
	SUBS $4, R5
	BLT  tail

	// 32 instructions for four elements.
loop:
	FMOVQ.P 16(R1), F0
	EXP(0, 1, 2, 3)
	FMOVQ.P F3, 16(R0)
	SUBS $4, R5
	BGE  loop

tail:
	ADDS $4, R5
	BEQ  end

single:
	FMOVS.P 4(R1), F0
	EXP(0, 1, 2, 3)
	FMOVS.P F3, 4(R0)
	SUBS $1, R5
	BNE  single

end:
	RET

// func neonSiluMul(dst, gate, up *float32, n int)
TEXT ·neonSiluMul(SB), NOSPLIT, $0-32
	MOVD dst+0(FP), R0
	MOVD gate+8(FP), R1
	MOVD up+16(FP), R2
	MOVD n+24(FP), R5
	LOADEXP
	SUBS $4, R5
	BLT  tail

	// 38 instructions for four elements.
loop:
	FMOVQ.P 16(R1), F0
	FMOVQ.P 16(R2), F1
	SIGMOID(0, 2, 3, 4, 5)
	FMUL4(5, 0, 6)
	FMUL4(1, 6, 6)
	FMOVQ.P F6, 16(R0)
	SUBS $4, R5
	BGE  loop

tail:
	ADDS $4, R5
	BEQ  end

single:
	FMOVS.P 4(R1), F0
	FMOVS.P 4(R2), F1
	SIGMOID(0, 2, 3, 4, 5)
	FMUL4(5, 0, 6)
	FMUL4(1, 6, 6)
	FMOVS.P F6, 4(R0)
	SUBS $1, R5
	BNE  single

end:
	RET

// func neonSiluMulGrad(dgate, dup, dact, gate, up *float32, n int)
TEXT ·neonSiluMulGrad(SB), NOSPLIT, $0-48
	MOVD dgate+0(FP), R0
	MOVD dup+8(FP), R1
	MOVD dact+16(FP), R2
	MOVD gate+24(FP), R3
	MOVD up+32(FP), R4
	MOVD n+40(FP), R5
	LOADEXP
	SUBS $4, R5
	BLT  tail

	// 45 instructions for four elements.
loop:
	FMOVQ.P 16(R2), F0
	FMOVQ.P 16(R3), F1
	FMOVQ.P 16(R4), F2
	SIGMOID(1, 3, 4, 5, 6)
	FMUL4(6, 1, 3)
	FMUL4(3, 0, 7)
	FSUB4(6, 27, 8)
	FMUL4(3, 8, 8)
	FADD4(6, 8, 8)
	FMUL4(2, 0, 4)
	FMUL4(4, 8, 8)
	FMOVQ.P F8, 16(R0)
	FMOVQ.P F7, 16(R1)
	SUBS $4, R5
	BGE  loop

tail:
	ADDS $4, R5
	BEQ  end

single:
	FMOVS.P 4(R2), F0
	FMOVS.P 4(R3), F1
	FMOVS.P 4(R4), F2
	SIGMOID(1, 3, 4, 5, 6)
	FMUL4(6, 1, 3)
	FMUL4(3, 0, 7)
	FSUB4(6, 27, 8)
	FMUL4(3, 8, 8)
	FADD4(6, 8, 8)
	FMUL4(2, 0, 4)
	FMUL4(4, 8, 8)
	FMOVS.P F8, 4(R0)
	FMOVS.P F7, 4(R1)
	SUBS $1, R5
	BNE  single

end:
	RET

// func neonGeluMul(dst, gate, up *float32, n int)
TEXT ·neonGeluMul(SB), NOSPLIT, $0-32
	MOVD dst+0(FP), R0
	MOVD gate+8(FP), R1
	MOVD up+16(FP), R2
	MOVD n+24(FP), R5
	LOADGELU
	SUBS $4, R5
	BLT  tail

	// 43 instructions for four elements.
loop:
	FMOVQ.P 16(R1), F0
	FMOVQ.P 16(R2), F1
	GELUINNER(0, 2, 7)
	SIGMOID(7, 2, 3, 4, 5)
	FMUL4(5, 0, 6)
	FMUL4(1, 6, 6)
	FMOVQ.P F6, 16(R0)
	SUBS $4, R5
	BGE  loop

tail:
	ADDS $4, R5
	BEQ  end

single:
	FMOVS.P 4(R1), F0
	FMOVS.P 4(R2), F1
	GELUINNER(0, 2, 7)
	SIGMOID(7, 2, 3, 4, 5)
	FMUL4(5, 0, 6)
	FMUL4(1, 6, 6)
	FMOVS.P F6, 4(R0)
	SUBS $1, R5
	BNE  single

end:
	RET

// func neonGeluMulGrad(dgate, dup, dact, gate, up *float32, n int)
TEXT ·neonGeluMulGrad(SB), NOSPLIT, $0-48
	MOVD dgate+0(FP), R0
	MOVD dup+8(FP), R1
	MOVD dact+16(FP), R2
	MOVD gate+24(FP), R3
	MOVD up+32(FP), R4
	MOVD n+40(FP), R5
	LOADGELU
	SUBS $4, R5
	BLT  tail

	// 55 instructions for four elements.
loop:
	FMOVQ.P 16(R2), F0
	FMOVQ.P 16(R3), F1
	FMOVQ.P 16(R4), F2
	GELUINNER(1, 3, 9)
	SIGMOID(9, 3, 4, 5, 6)
	FMUL4(6, 1, 3)
	FMUL4(3, 0, 7)
	FSUB4(6, 27, 8)
	FMUL4(3, 8, 8)
	FMUL4(31, 1, 4)
	MOV16(27, 5)
	FMLA4(1, 4, 5)
	FMUL4(29, 5, 5)
	FMUL4(5, 8, 8)
	FADD4(6, 8, 8)
	FMUL4(2, 0, 4)
	FMUL4(4, 8, 8)
	FMOVQ.P F8, 16(R0)
	FMOVQ.P F7, 16(R1)
	SUBS $4, R5
	BGE  loop

tail:
	ADDS $4, R5
	BEQ  end

single:
	FMOVS.P 4(R2), F0
	FMOVS.P 4(R3), F1
	FMOVS.P 4(R4), F2
	GELUINNER(1, 3, 9)
	SIGMOID(9, 3, 4, 5, 6)
	FMUL4(6, 1, 3)
	FMUL4(3, 0, 7)
	FSUB4(6, 27, 8)
	FMUL4(3, 8, 8)
	FMUL4(31, 1, 4)
	MOV16(27, 5)
	FMLA4(1, 4, 5)
	FMUL4(29, 5, 5)
	FMUL4(5, 8, 8)
	FADD4(6, 8, 8)
	FMUL4(2, 0, 4)
	FMUL4(4, 8, 8)
	FMOVS.P F8, 4(R0)
	FMOVS.P F7, 4(R1)
	SUBS $1, R5
	BNE  single

end:
	RET

// func neonExpSum(x *float32, n int, max float32) float32
TEXT ·neonExpSum(SB), NOSPLIT, $32-28
	MOVD  x+0(FP), R0
	MOVD  n+8(FP), R5
	FMOVS max+16(FP), F15
	VDUP  V15.S[0], V15.S4
	LOADEXP
	VEOR  V0.B16, V0.B16, V0.B16
	VEOR  V1.B16, V1.B16, V1.B16
	SUBS  $8, R5
	BLT   tail

	// 64 instructions for eight elements.
loop:
	FLDPQ   (R0), (F2, F3)
	FSUB4(15, 2, 2)
	FSUB4(15, 3, 3)
	EXP(2, 4, 5, 6)
	EXP(3, 4, 5, 7)
	FSTPQ.P (F6, F7), 32(R0)
	FADD4(6, 0, 0)
	FADD4(7, 1, 1)
	SUBS    $8, R5
	BGE     loop

tail:
	ADDS  $8, R5
	BEQ   sum

	// The last ones go to x and, between zeros, to a buffer of eight lanes.
	MOVD  $lanes-32(SP), R1
	VEOR  V2.B16, V2.B16, V2.B16
	VEOR  V3.B16, V3.B16, V3.B16
	FSTPQ (F2, F3), (R1)
	TBZ   $2, R5, few
	FMOVQ (R0), F2
	FSUB4(15, 2, 2)
	EXP(2, 4, 5, 6)
	FMOVQ.P F6, 16(R0)
	FMOVQ.P F6, 16(R1)

few:
	ANDS  $3, R5
	BEQ   add

single:
	FMOVS   (R0), F2
	FSUB4(15, 2, 2)
	EXP(2, 4, 5, 6)
	FMOVS.P F6, 4(R0)
	FMOVS.P F6, 4(R1)
	SUBS    $1, R5
	BNE     single

add:
	MOVD  $lanes-32(SP), R1
	FLDPQ (R1), (F2, F3)
	FADD4(2, 0, 0)
	FADD4(3, 1, 1)

sum:
	FADDP4(1, 0, 0)
	FADDP4(0, 0, 0)
	FADDP4(0, 0, 0)
	FMOVS F0, ret+24(FP)
	RET
