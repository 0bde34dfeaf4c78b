//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"

// Sums and maxima, transposition and rounding. A reduction puts what is left over
// at its end into a buffer, between numbers that change nothing, and goes through
// its loop once more. R0 to R2 are vectors, R5 is n; R7 points to the buffer.

// COPYREST copies the R6 floats at p to to.
#define COPYREST(p, to) \
	ADD     $(to), R7, R9; \
	MOVD    R6, R10; \
	MOVWU.P 4(p), R11; \
	MOVW.P  R11, 4(R9); \
	SUBS    $1, R10; \
	BNE     -3(PC); \
	ADD     $(to), R7, p

// FILL128 writes V31 over the 128 bytes at off(R7).
#define FILL128(off) \
	FSTPQ (F31, F31), (off+0)(R7); \
	FSTPQ (F31, F31), (off+32)(R7); \
	FSTPQ (F31, F31), (off+64)(R7); \
	FSTPQ (F31, F31), (off+96)(R7)

// SUM32 adds up the lanes of RMSNorm, in V0 to V7, into V0.
#define SUM32 \
	FADD4(2, 0, 0); \
	FADD4(3, 1, 1); \
	FADD4(6, 4, 4); \
	FADD4(7, 5, 5); \
	FADD4(4, 0, 0); \
	FADD4(5, 1, 1); \
	FADDP4(1, 0, 0); \
	FADDP4(0, 0, 0); \
	FADDP4(0, 0, 0)

// GREATER takes the lanes of x over that are greater than those of m; a NaN in x
// is not. t is lost.
#define GREATER(x, t, m) \
	FCMGT4(m, x, t); \
	BIT16(t, x, m)

// TURN4 transposes four rows of four floats a into y, by way of V16 to V19.
#define TURN4(a0, a1, a2, a3, y0, y1, y2, y3) \
	VTRN1 a1.S4, a0.S4, V16.S4; \
	VTRN2 a1.S4, a0.S4, V17.S4; \
	VTRN1 a3.S4, a2.S4, V18.S4; \
	VTRN2 a3.S4, a2.S4, V19.S4; \
	VZIP1 V18.D2, V16.D2, y0.D2; \
	VZIP1 V19.D2, V17.D2, y1.D2; \
	VZIP2 V18.D2, V16.D2, y2.D2; \
	VZIP2 V19.D2, V17.D2, y3.D2

// TURN8 loads four columns of the eight rows at R10 to R17 and leaves them
// transposed in V8, V12 and so on to V11, V15.
#define TURN8 \
	FMOVQ.P 16(R10), F0; \
	FMOVQ.P 16(R11), F1; \
	FMOVQ.P 16(R12), F2; \
	FMOVQ.P 16(R13), F3; \
	FMOVQ.P 16(R14), F4; \
	FMOVQ.P 16(R15), F5; \
	FMOVQ.P 16(R16), F6; \
	FMOVQ.P 16(R17), F7; \
	TURN4(V0, V1, V2, V3, V8, V9, V10, V11); \
	TURN4(V4, V5, V6, V7, V12, V13, V14, V15)

// LOADTURN reads the arguments of a transposition.
#define LOADTURN \
	MOVD dst+0(FP), R0; \
	MOVD ldd+8(FP), R1; \
	LSL  $2, R1; \
	MOVD src+16(FP), R10; \
	MOVD lds+24(FP), R3; \
	LSL  $2, R3; \
	MOVD cols+32(FP), R5; \
	ADD  R3, R10, R11; \
	ADD  R3, R11, R12; \
	ADD  R3, R12, R13; \
	ADD  R3, R13, R14; \
	ADD  R3, R14, R15; \
	ADD  R3, R15, R16; \
	ADD  R3, R16, R17

// func neonSumSquares32(x *float32, n int) float32
TEXT ·neonSumSquares32(SB), NOSPLIT, $128-20
	MOVD x+0(FP), R0
	MOVD n+8(FP), R5
	AND  $31, R5, R6
	LSR  $5, R5
	VEOR V0.B16, V0.B16, V0.B16
	VEOR V1.B16, V1.B16, V1.B16
	VEOR V2.B16, V2.B16, V2.B16
	VEOR V3.B16, V3.B16, V3.B16
	VEOR V4.B16, V4.B16, V4.B16
	VEOR V5.B16, V5.B16, V5.B16
	VEOR V6.B16, V6.B16, V6.B16
	VEOR V7.B16, V7.B16, V7.B16
	CBZ  R5, rest

	// 14 instructions for 32 elements.
loop:
	FLDPQ.P 32(R0), (F16, F17)
	FLDPQ.P 32(R0), (F18, F19)
	FLDPQ.P 32(R0), (F20, F21)
	FLDPQ.P 32(R0), (F22, F23)
	VFMLA   V16.S4, V16.S4, V0.S4
	VFMLA   V17.S4, V17.S4, V1.S4
	VFMLA   V18.S4, V18.S4, V2.S4
	VFMLA   V19.S4, V19.S4, V3.S4
	VFMLA   V20.S4, V20.S4, V4.S4
	VFMLA   V21.S4, V21.S4, V5.S4
	VFMLA   V22.S4, V22.S4, V6.S4
	VFMLA   V23.S4, V23.S4, V7.S4
	SUBS    $1, R5
	BNE     loop

rest:
	CBZ   R6, sum
	MOVD  $rest-128(SP), R7
	VEOR  V31.B16, V31.B16, V31.B16
	FILL128(0)
	COPYREST(R0, 0)
	MOVD  $0, R6
	MOVD  $1, R5
	B     loop

sum:
	SUM32
	FMOVS F0, ret+16(FP)
	RET

// func neonSumProducts32(a, b, c *float32, n int) float32
TEXT ·neonSumProducts32(SB), NOSPLIT, $384-36
	MOVD a+0(FP), R0
	MOVD b+8(FP), R1
	MOVD c+16(FP), R2
	MOVD n+24(FP), R5
	AND  $31, R5, R6
	LSR  $5, R5
	VEOR V0.B16, V0.B16, V0.B16
	VEOR V1.B16, V1.B16, V1.B16
	VEOR V2.B16, V2.B16, V2.B16
	VEOR V3.B16, V3.B16, V3.B16
	VEOR V4.B16, V4.B16, V4.B16
	VEOR V5.B16, V5.B16, V5.B16
	VEOR V6.B16, V6.B16, V6.B16
	VEOR V7.B16, V7.B16, V7.B16
	CBZ  R5, rest

	// 30 instructions for 32 elements.
loop:
	FLDPQ.P 32(R0), (F16, F17)
	FLDPQ.P 32(R1), (F18, F19)
	FLDPQ.P 32(R2), (F20, F21)
	FMUL4(18, 16, 16)
	FMUL4(19, 17, 17)
	VFMLA   V20.S4, V16.S4, V0.S4
	VFMLA   V21.S4, V17.S4, V1.S4
	FLDPQ.P 32(R0), (F16, F17)
	FLDPQ.P 32(R1), (F18, F19)
	FLDPQ.P 32(R2), (F20, F21)
	FMUL4(18, 16, 16)
	FMUL4(19, 17, 17)
	VFMLA   V20.S4, V16.S4, V2.S4
	VFMLA   V21.S4, V17.S4, V3.S4
	FLDPQ.P 32(R0), (F16, F17)
	FLDPQ.P 32(R1), (F18, F19)
	FLDPQ.P 32(R2), (F20, F21)
	FMUL4(18, 16, 16)
	FMUL4(19, 17, 17)
	VFMLA   V20.S4, V16.S4, V4.S4
	VFMLA   V21.S4, V17.S4, V5.S4
	FLDPQ.P 32(R0), (F16, F17)
	FLDPQ.P 32(R1), (F18, F19)
	FLDPQ.P 32(R2), (F20, F21)
	FMUL4(18, 16, 16)
	FMUL4(19, 17, 17)
	VFMLA   V20.S4, V16.S4, V6.S4
	VFMLA   V21.S4, V17.S4, V7.S4
	SUBS    $1, R5
	BNE     loop

rest:
	CBZ   R6, sum
	MOVD  $rest-384(SP), R7
	VEOR  V31.B16, V31.B16, V31.B16
	FILL128(0)
	COPYREST(R0, 0)
	FILL128(128)
	COPYREST(R1, 128)
	FILL128(256)
	COPYREST(R2, 256)
	MOVD  $0, R6
	MOVD  $1, R5
	B     loop

sum:
	SUM32
	FMOVS F0, ret+32(FP)
	RET

// func neonMaxOf(x *float32, n int) float32
TEXT ·neonMaxOf(SB), NOSPLIT, $128-20
	MOVD x+0(FP), R0
	MOVD n+8(FP), R5
	AND  $31, R5, R6
	LSR  $5, R5
	MOVD $0xFF800000, R9
	VDUP R9, V31.S4
	VMOV V31.B16, V0.B16
	VMOV V31.B16, V1.B16
	VMOV V31.B16, V2.B16
	VMOV V31.B16, V3.B16
	VMOV V31.B16, V4.B16
	VMOV V31.B16, V5.B16
	VMOV V31.B16, V6.B16
	VMOV V31.B16, V7.B16
	CBZ  R5, rest

	// 22 instructions for 32 elements.
loop:
	FLDPQ.P 32(R0), (F16, F17)
	FLDPQ.P 32(R0), (F18, F19)
	FLDPQ.P 32(R0), (F20, F21)
	FLDPQ.P 32(R0), (F22, F23)
	GREATER(16, 30, 0)
	GREATER(17, 30, 1)
	GREATER(18, 30, 2)
	GREATER(19, 30, 3)
	GREATER(20, 30, 4)
	GREATER(21, 30, 5)
	GREATER(22, 30, 6)
	GREATER(23, 30, 7)
	SUBS    $1, R5
	BNE     loop

rest:
	CBZ   R6, sum
	MOVD  $rest-128(SP), R7
	FILL128(0)
	COPYREST(R0, 0)
	MOVD  $0, R6
	MOVD  $1, R5
	B     loop

sum:
	GREATER(4, 30, 0)
	GREATER(5, 30, 1)
	GREATER(6, 30, 2)
	GREATER(7, 30, 3)
	GREATER(2, 30, 0)
	GREATER(3, 30, 1)
	GREATER(1, 30, 0)
	VEXT  $8, V0.B16, V0.B16, V1.B16
	GREATER(1, 30, 0)
	VEXT  $4, V0.B16, V0.B16, V1.B16
	GREATER(1, 30, 0)
	FMOVS F0, ret+16(FP)
	RET

// func neonSumSquares(x *float32, n int) float64
TEXT ·neonSumSquares(SB), NOSPLIT, $32-24
	MOVD x+0(FP), R0
	MOVD n+8(FP), R5
	AND  $7, R5, R6
	LSR  $3, R5
	VEOR V0.B16, V0.B16, V0.B16
	VEOR V1.B16, V1.B16, V1.B16
	VEOR V2.B16, V2.B16, V2.B16
	VEOR V3.B16, V3.B16, V3.B16
	CBZ  R5, rest

	// 11 instructions for eight elements.
loop:
	FLDPQ.P 32(R0), (F16, F17)
	FCVTLS(16, 18)
	FCVTL2S(16, 19)
	FCVTLS(17, 20)
	FCVTL2S(17, 21)
	VFMLA   V18.D2, V18.D2, V0.D2
	VFMLA   V19.D2, V19.D2, V1.D2
	VFMLA   V20.D2, V20.D2, V2.D2
	VFMLA   V21.D2, V21.D2, V3.D2
	SUBS    $1, R5
	BNE     loop

rest:
	CBZ   R6, sum
	MOVD  $rest-32(SP), R7
	VEOR  V31.B16, V31.B16, V31.B16
	FSTPQ (F31, F31), (R7)
	COPYREST(R0, 0)
	MOVD  $0, R6
	MOVD  $1, R5
	B     loop

sum:
	FADDP2D(1, 0, 0)
	FADDP2D(3, 2, 2)
	FADDP2D(2, 0, 0)
	FADDPD(0, 0)
	FMOVD F0, ret+16(FP)
	RET

// func neonTranspose8(dst *float32, ldd int, src *float32, lds, cols int)
TEXT ·neonTranspose8(SB), NOSPLIT, $0-40
	LOADTURN

loop:
	TURN8
	FSTPQ (F8, F12), (R0)
	ADD   R1, R0
	FSTPQ (F9, F13), (R0)
	ADD   R1, R0
	FSTPQ (F10, F14), (R0)
	ADD   R1, R0
	FSTPQ (F11, F15), (R0)
	ADD   R1, R0
	SUBS  $4, R5
	BNE   loop
	RET

// func neonAddTransposed8(dst *float32, ldd int, src *float32, lds, cols int)
TEXT ·neonAddTransposed8(SB), NOSPLIT, $0-40
	LOADTURN

loop:
	TURN8
	FLDPQ (R0), (F20, F21)
	FADD4(8, 20, 20)
	FADD4(12, 21, 21)
	FSTPQ (F20, F21), (R0)
	ADD   R1, R0
	FLDPQ (R0), (F20, F21)
	FADD4(9, 20, 20)
	FADD4(13, 21, 21)
	FSTPQ (F20, F21), (R0)
	ADD   R1, R0
	FLDPQ (R0), (F20, F21)
	FADD4(10, 20, 20)
	FADD4(14, 21, 21)
	FSTPQ (F20, F21), (R0)
	ADD   R1, R0
	FLDPQ (R0), (F20, F21)
	FADD4(11, 20, 20)
	FADD4(15, 21, 21)
	FSTPQ (F20, F21), (R0)
	ADD   R1, R0
	SUBS  $4, R5
	BNE   loop
	RET

// func neonNarrowF16(dst *byte, src *float32, n int)
TEXT ·neonNarrowF16(SB), NOSPLIT, $0-24
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD n+16(FP), R5

loop:
	FLDPQ.P 32(R1), (F0, F1)
	FCVTNS(0, 2)
	FCVTN2S(1, 2)
	FMOVQ.P F2, 16(R0)
	SUBS    $8, R5
	BNE     loop
	RET
