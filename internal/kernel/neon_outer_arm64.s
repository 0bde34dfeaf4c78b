//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"

// The inner loops of outer products, and what measures the machine.

// PAIR adds to columns c0 and c1 of a tile the product of B in V30 and V31 with
// element e of V a.
#define PAIR(a, e, c0, c1) \
	FMLA4E(a, e, 30, c0); \
	FMLA4E(a, e, 31, c1)

// TILE1 to TILE6 add to a tile of so many rows and 16 columns, four registers a
// row, the products of one row of B, at R17, with element e of V24 to V29.
#define TILE1(e) \
	FLDPQ (R17), (F30, F31); \
	PAIR(24, e, 0, 1); \
	FLDPQ 32(R17), (F30, F31); \
	PAIR(24, e, 2, 3); \
	ADD   R6, R17

#define TILE2(e) \
	FLDPQ (R17), (F30, F31); \
	PAIR(24, e, 0, 1); \
	PAIR(25, e, 4, 5); \
	FLDPQ 32(R17), (F30, F31); \
	PAIR(24, e, 2, 3); \
	PAIR(25, e, 6, 7); \
	ADD   R6, R17

#define TILE4(e) \
	FLDPQ (R17), (F30, F31); \
	PAIR(24, e, 0, 1); \
	PAIR(25, e, 4, 5); \
	PAIR(26, e, 8, 9); \
	PAIR(27, e, 12, 13); \
	FLDPQ 32(R17), (F30, F31); \
	PAIR(24, e, 2, 3); \
	PAIR(25, e, 6, 7); \
	PAIR(26, e, 10, 11); \
	PAIR(27, e, 14, 15); \
	ADD   R6, R17

#define TILE6(e) \
	FLDPQ (R17), (F30, F31); \
	PAIR(24, e, 0, 1); \
	PAIR(25, e, 4, 5); \
	PAIR(26, e, 8, 9); \
	PAIR(27, e, 12, 13); \
	PAIR(28, e, 16, 17); \
	PAIR(29, e, 20, 21); \
	FLDPQ 32(R17), (F30, F31); \
	PAIR(24, e, 2, 3); \
	PAIR(25, e, 6, 7); \
	PAIR(26, e, 10, 11); \
	PAIR(27, e, 14, 15); \
	PAIR(28, e, 18, 19); \
	PAIR(29, e, 22, 23); \
	ADD   R6, R17

// func neonOuter16(c *float32, ldc int, a *float32, lda int, b *float32, ldb int, m, k int)
TEXT ·neonOuter16(SB), NOSPLIT, $0-64
	MOVD c+0(FP), R0
	MOVD ldc+8(FP), R1
	LSL  $2, R1
	MOVD a+16(FP), R3
	MOVD lda+24(FP), R4
	LSL  $2, R4
	MOVD b+32(FP), R5
	MOVD ldb+40(FP), R6
	LSL  $2, R6
	MOVD m+48(FP), R7
	MOVD k+56(FP), R9
	LSR  $2, R9, R8
	AND  $3, R9

rows6:
	CMP  $6, R7
	BLT  rows4
	MOVD R0, R20
	FLDPQ (R20), (F0, F1)
	FLDPQ 32(R20), (F2, F3)
	ADD  R1, R20
	FLDPQ (R20), (F4, F5)
	FLDPQ 32(R20), (F6, F7)
	ADD  R1, R20
	FLDPQ (R20), (F8, F9)
	FLDPQ 32(R20), (F10, F11)
	ADD  R1, R20
	FLDPQ (R20), (F12, F13)
	FLDPQ 32(R20), (F14, F15)
	ADD  R1, R20
	FLDPQ (R20), (F16, F17)
	FLDPQ 32(R20), (F18, F19)
	ADD  R1, R20
	FLDPQ (R20), (F20, F21)
	FLDPQ 32(R20), (F22, F23)
	MOVD R3, R11
	ADD  R4, R11, R12
	ADD  R4, R12, R13
	ADD  R4, R13, R14
	ADD  R4, R14, R15
	ADD  R4, R15, R16
	ADD  R4, R16, R3
	MOVD R5, R17
	MOVD R8, R19
	MOVD R9, R24
	CBZ  R19, last6

	// 116 instructions for 96 multiply-adds of four lanes.
loop6:
	FMOVQ.P 16(R11), F24
	FMOVQ.P 16(R12), F25
	FMOVQ.P 16(R13), F26
	FMOVQ.P 16(R14), F27
	FMOVQ.P 16(R15), F28
	FMOVQ.P 16(R16), F29
	TILE6(0)
	TILE6(1)
	TILE6(2)
	TILE6(3)
	SUBS    $1, R19
	BNE     loop6

last6:
	CBZ  R24, store6

single6:
	FMOVS.P 4(R11), F24
	FMOVS.P 4(R12), F25
	FMOVS.P 4(R13), F26
	FMOVS.P 4(R14), F27
	FMOVS.P 4(R15), F28
	FMOVS.P 4(R16), F29
	TILE6(0)
	SUBS    $1, R24
	BNE     single6

store6:
	FSTPQ (F0, F1), (R0)
	FSTPQ (F2, F3), 32(R0)
	ADD   R1, R0
	FSTPQ (F4, F5), (R0)
	FSTPQ (F6, F7), 32(R0)
	ADD   R1, R0
	FSTPQ (F8, F9), (R0)
	FSTPQ (F10, F11), 32(R0)
	ADD   R1, R0
	FSTPQ (F12, F13), (R0)
	FSTPQ (F14, F15), 32(R0)
	ADD   R1, R0
	FSTPQ (F16, F17), (R0)
	FSTPQ (F18, F19), 32(R0)
	ADD   R1, R0
	FSTPQ (F20, F21), (R0)
	FSTPQ (F22, F23), 32(R0)
	ADD   R1, R0
	SUB   $6, R7
	B     rows6

rows4:
	CMP  $4, R7
	BLT  rows2
	MOVD R0, R20
	FLDPQ (R20), (F0, F1)
	FLDPQ 32(R20), (F2, F3)
	ADD  R1, R20
	FLDPQ (R20), (F4, F5)
	FLDPQ 32(R20), (F6, F7)
	ADD  R1, R20
	FLDPQ (R20), (F8, F9)
	FLDPQ 32(R20), (F10, F11)
	ADD  R1, R20
	FLDPQ (R20), (F12, F13)
	FLDPQ 32(R20), (F14, F15)
	MOVD R3, R11
	ADD  R4, R11, R12
	ADD  R4, R12, R13
	ADD  R4, R13, R14
	ADD  R4, R14, R3
	MOVD R5, R17
	MOVD R8, R19
	MOVD R9, R24
	CBZ  R19, last4

	// 82 instructions for 64 multiply-adds of four lanes.
loop4:
	FMOVQ.P 16(R11), F24
	FMOVQ.P 16(R12), F25
	FMOVQ.P 16(R13), F26
	FMOVQ.P 16(R14), F27
	TILE4(0)
	TILE4(1)
	TILE4(2)
	TILE4(3)
	SUBS    $1, R19
	BNE     loop4

last4:
	CBZ  R24, store4

single4:
	FMOVS.P 4(R11), F24
	FMOVS.P 4(R12), F25
	FMOVS.P 4(R13), F26
	FMOVS.P 4(R14), F27
	TILE4(0)
	SUBS    $1, R24
	BNE     single4

store4:
	FSTPQ (F0, F1), (R0)
	FSTPQ (F2, F3), 32(R0)
	ADD   R1, R0
	FSTPQ (F4, F5), (R0)
	FSTPQ (F6, F7), 32(R0)
	ADD   R1, R0
	FSTPQ (F8, F9), (R0)
	FSTPQ (F10, F11), 32(R0)
	ADD   R1, R0
	FSTPQ (F12, F13), (R0)
	FSTPQ (F14, F15), 32(R0)
	ADD   R1, R0
	SUB   $4, R7

rows2:
	CMP  $2, R7
	BLT  rows1
	MOVD R0, R20
	FLDPQ (R20), (F0, F1)
	FLDPQ 32(R20), (F2, F3)
	ADD  R1, R20
	FLDPQ (R20), (F4, F5)
	FLDPQ 32(R20), (F6, F7)
	MOVD R3, R11
	ADD  R4, R11, R12
	ADD  R4, R12, R3
	MOVD R5, R17
	MOVD R8, R19
	MOVD R9, R24
	CBZ  R19, last2

	// 48 instructions for 32 multiply-adds of four lanes.
loop2:
	FMOVQ.P 16(R11), F24
	FMOVQ.P 16(R12), F25
	TILE2(0)
	TILE2(1)
	TILE2(2)
	TILE2(3)
	SUBS    $1, R19
	BNE     loop2

last2:
	CBZ  R24, store2

single2:
	FMOVS.P 4(R11), F24
	FMOVS.P 4(R12), F25
	TILE2(0)
	SUBS    $1, R24
	BNE     single2

store2:
	FSTPQ (F0, F1), (R0)
	FSTPQ (F2, F3), 32(R0)
	ADD   R1, R0
	FSTPQ (F4, F5), (R0)
	FSTPQ (F6, F7), 32(R0)
	ADD   R1, R0
	SUB   $2, R7

rows1:
	CMP  $1, R7
	BLT  end
	MOVD R0, R20
	FLDPQ (R20), (F0, F1)
	FLDPQ 32(R20), (F2, F3)
	MOVD R3, R11
	MOVD R5, R17
	MOVD R8, R19
	MOVD R9, R24
	CBZ  R19, last1

	// 31 instructions for 16 multiply-adds of four lanes.
loop1:
	FMOVQ.P 16(R11), F24
	TILE1(0)
	TILE1(1)
	TILE1(2)
	TILE1(3)
	SUBS    $1, R19
	BNE     loop1

last1:
	CBZ  R24, store1

single1:
	FMOVS.P 4(R11), F24
	TILE1(0)
	SUBS    $1, R24
	BNE     single1

store1:
	FSTPQ (F0, F1), (R0)
	FSTPQ (F2, F3), 32(R0)
	ADD   R1, R0

end:
	RET

// func neonOuter1x64(c *float32, ldc int, a *float32, lda int, b *float32, ldb int, k int)
TEXT ·neonOuter1x64(SB), NOSPLIT, $0-56
	MOVD c+0(FP), R0
	MOVD ldc+8(FP), R1
	LSL  $2, R1
	MOVD a+16(FP), R11
	MOVD lda+24(FP), R4
	LSL  $2, R4
	MOVD b+32(FP), R17
	MOVD ldb+40(FP), R6
	LSL  $2, R6
	MOVD k+48(FP), R19
	MOVD R0, R20
	FLDPQ 0(R20), (F0, F1)
	FLDPQ 32(R20), (F2, F3)
	FLDPQ 64(R20), (F4, F5)
	FLDPQ 96(R20), (F6, F7)
	FLDPQ 128(R20), (F8, F9)
	FLDPQ 160(R20), (F10, F11)
	FLDPQ 192(R20), (F12, F13)
	FLDPQ 224(R20), (F14, F15)

	// 28 instructions for 16 multiply-adds of four lanes.
loop:
	FMOVS.P 4(R11), F24
	FLDPQ   (R17), (F28, F29)
	FMLA4E(24, 0, 28, 0)
	FMLA4E(24, 0, 29, 1)
	FLDPQ   32(R17), (F30, F31)
	FMLA4E(24, 0, 30, 2)
	FMLA4E(24, 0, 31, 3)
	FLDPQ   64(R17), (F28, F29)
	FMLA4E(24, 0, 28, 4)
	FMLA4E(24, 0, 29, 5)
	FLDPQ   96(R17), (F30, F31)
	FMLA4E(24, 0, 30, 6)
	FMLA4E(24, 0, 31, 7)
	FLDPQ   128(R17), (F28, F29)
	FMLA4E(24, 0, 28, 8)
	FMLA4E(24, 0, 29, 9)
	FLDPQ   160(R17), (F30, F31)
	FMLA4E(24, 0, 30, 10)
	FMLA4E(24, 0, 31, 11)
	FLDPQ   192(R17), (F28, F29)
	FMLA4E(24, 0, 28, 12)
	FMLA4E(24, 0, 29, 13)
	FLDPQ   224(R17), (F30, F31)
	FMLA4E(24, 0, 30, 14)
	FMLA4E(24, 0, 31, 15)
	ADD     R6, R17
	SUBS    $1, R19
	BNE     loop
	FSTPQ (F0, F1), 0(R0)
	FSTPQ (F2, F3), 32(R0)
	FSTPQ (F4, F5), 64(R0)
	FSTPQ (F6, F7), 96(R0)
	FSTPQ (F8, F9), 128(R0)
	FSTPQ (F10, F11), 160(R0)
	FSTPQ (F12, F13), 192(R0)
	FSTPQ (F14, F15), 224(R0)
	RET

// func neonOuter2x32(c *float32, ldc int, a *float32, lda int, b *float32, ldb int, k int)
TEXT ·neonOuter2x32(SB), NOSPLIT, $0-56
	MOVD c+0(FP), R0
	MOVD ldc+8(FP), R1
	LSL  $2, R1
	MOVD a+16(FP), R11
	MOVD lda+24(FP), R4
	LSL  $2, R4
	MOVD b+32(FP), R17
	MOVD ldb+40(FP), R6
	LSL  $2, R6
	MOVD k+48(FP), R19
	ADD  R4, R11, R12
	MOVD R0, R20
	FLDPQ 0(R20), (F0, F1)
	FLDPQ 32(R20), (F2, F3)
	FLDPQ 64(R20), (F4, F5)
	FLDPQ 96(R20), (F6, F7)
	ADD  R1, R20
	FLDPQ 0(R20), (F8, F9)
	FLDPQ 32(R20), (F10, F11)
	FLDPQ 64(R20), (F12, F13)
	FLDPQ 96(R20), (F14, F15)

	// 25 instructions for 16 multiply-adds of four lanes.
loop:
	FMOVS.P 4(R11), F24
	FMOVS.P 4(R12), F25
	FLDPQ   (R17), (F28, F29)
	FMLA4E(24, 0, 28, 0)
	FMLA4E(24, 0, 29, 1)
	FMLA4E(25, 0, 28, 8)
	FMLA4E(25, 0, 29, 9)
	FLDPQ   32(R17), (F30, F31)
	FMLA4E(24, 0, 30, 2)
	FMLA4E(24, 0, 31, 3)
	FMLA4E(25, 0, 30, 10)
	FMLA4E(25, 0, 31, 11)
	FLDPQ   64(R17), (F28, F29)
	FMLA4E(24, 0, 28, 4)
	FMLA4E(24, 0, 29, 5)
	FMLA4E(25, 0, 28, 12)
	FMLA4E(25, 0, 29, 13)
	FLDPQ   96(R17), (F30, F31)
	FMLA4E(24, 0, 30, 6)
	FMLA4E(24, 0, 31, 7)
	FMLA4E(25, 0, 30, 14)
	FMLA4E(25, 0, 31, 15)
	ADD     R6, R17
	SUBS    $1, R19
	BNE     loop
	FSTPQ (F0, F1), 0(R0)
	FSTPQ (F2, F3), 32(R0)
	FSTPQ (F4, F5), 64(R0)
	FSTPQ (F6, F7), 96(R0)
	ADD  R1, R0
	FSTPQ (F8, F9), 0(R0)
	FSTPQ (F10, F11), 32(R0)
	FSTPQ (F12, F13), 64(R0)
	FSTPQ (F14, F15), 96(R0)
	RET

// func neonOuter3x32(c *float32, ldc int, a *float32, lda int, b *float32, ldb int, k int)
TEXT ·neonOuter3x32(SB), NOSPLIT, $0-56
	MOVD c+0(FP), R0
	MOVD ldc+8(FP), R1
	LSL  $2, R1
	MOVD a+16(FP), R11
	MOVD lda+24(FP), R4
	LSL  $2, R4
	MOVD b+32(FP), R17
	MOVD ldb+40(FP), R6
	LSL  $2, R6
	MOVD k+48(FP), R19
	ADD  R4, R11, R12
	ADD  R4, R12, R13
	MOVD R0, R20
	FLDPQ 0(R20), (F0, F1)
	FLDPQ 32(R20), (F2, F3)
	FLDPQ 64(R20), (F4, F5)
	FLDPQ 96(R20), (F6, F7)
	ADD  R1, R20
	FLDPQ 0(R20), (F8, F9)
	FLDPQ 32(R20), (F10, F11)
	FLDPQ 64(R20), (F12, F13)
	FLDPQ 96(R20), (F14, F15)
	ADD  R1, R20
	FLDPQ 0(R20), (F16, F17)
	FLDPQ 32(R20), (F18, F19)
	FLDPQ 64(R20), (F20, F21)
	FLDPQ 96(R20), (F22, F23)

	// 34 instructions for 24 multiply-adds of four lanes.
loop:
	FMOVS.P 4(R11), F24
	FMOVS.P 4(R12), F25
	FMOVS.P 4(R13), F26
	FLDPQ   (R17), (F28, F29)
	FMLA4E(24, 0, 28, 0)
	FMLA4E(24, 0, 29, 1)
	FMLA4E(25, 0, 28, 8)
	FMLA4E(25, 0, 29, 9)
	FMLA4E(26, 0, 28, 16)
	FMLA4E(26, 0, 29, 17)
	FLDPQ   32(R17), (F30, F31)
	FMLA4E(24, 0, 30, 2)
	FMLA4E(24, 0, 31, 3)
	FMLA4E(25, 0, 30, 10)
	FMLA4E(25, 0, 31, 11)
	FMLA4E(26, 0, 30, 18)
	FMLA4E(26, 0, 31, 19)
	FLDPQ   64(R17), (F28, F29)
	FMLA4E(24, 0, 28, 4)
	FMLA4E(24, 0, 29, 5)
	FMLA4E(25, 0, 28, 12)
	FMLA4E(25, 0, 29, 13)
	FMLA4E(26, 0, 28, 20)
	FMLA4E(26, 0, 29, 21)
	FLDPQ   96(R17), (F30, F31)
	FMLA4E(24, 0, 30, 6)
	FMLA4E(24, 0, 31, 7)
	FMLA4E(25, 0, 30, 14)
	FMLA4E(25, 0, 31, 15)
	FMLA4E(26, 0, 30, 22)
	FMLA4E(26, 0, 31, 23)
	ADD     R6, R17
	SUBS    $1, R19
	BNE     loop
	FSTPQ (F0, F1), 0(R0)
	FSTPQ (F2, F3), 32(R0)
	FSTPQ (F4, F5), 64(R0)
	FSTPQ (F6, F7), 96(R0)
	ADD  R1, R0
	FSTPQ (F8, F9), 0(R0)
	FSTPQ (F10, F11), 32(R0)
	FSTPQ (F12, F13), 64(R0)
	FSTPQ (F14, F15), 96(R0)
	ADD  R1, R0
	FSTPQ (F16, F17), 0(R0)
	FSTPQ (F18, F19), 32(R0)
	FSTPQ (F20, F21), 64(R0)
	FSTPQ (F22, F23), 96(R0)
	RET

// func neonPeak(iterations int)
TEXT ·neonPeak(SB), NOSPLIT, $0-8
	MOVD  iterations+0(FP), R0
	FMOVS $0.5, F30
	VDUP  V30.S[0], V30.S4
	FMOVS $0.25, F31
	VDUP  V31.S[0], V31.S4
	VEOR V0.B16, V0.B16, V0.B16
	VEOR V1.B16, V1.B16, V1.B16
	VEOR V2.B16, V2.B16, V2.B16
	VEOR V3.B16, V3.B16, V3.B16
	VEOR V4.B16, V4.B16, V4.B16
	VEOR V5.B16, V5.B16, V5.B16
	VEOR V6.B16, V6.B16, V6.B16
	VEOR V7.B16, V7.B16, V7.B16
	VEOR V8.B16, V8.B16, V8.B16
	VEOR V9.B16, V9.B16, V9.B16
	VEOR V10.B16, V10.B16, V10.B16
	VEOR V11.B16, V11.B16, V11.B16
	VEOR V12.B16, V12.B16, V12.B16
	VEOR V13.B16, V13.B16, V13.B16
	VEOR V14.B16, V14.B16, V14.B16
	VEOR V15.B16, V15.B16, V15.B16
	VEOR V16.B16, V16.B16, V16.B16
	VEOR V17.B16, V17.B16, V17.B16
	VEOR V18.B16, V18.B16, V18.B16
	VEOR V19.B16, V19.B16, V19.B16
	VEOR V20.B16, V20.B16, V20.B16
	VEOR V21.B16, V21.B16, V21.B16
	VEOR V22.B16, V22.B16, V22.B16
	VEOR V23.B16, V23.B16, V23.B16

loop:
	VFMLA V30.S4, V31.S4, V0.S4
	VFMLA V30.S4, V31.S4, V1.S4
	VFMLA V30.S4, V31.S4, V2.S4
	VFMLA V30.S4, V31.S4, V3.S4
	VFMLA V30.S4, V31.S4, V4.S4
	VFMLA V30.S4, V31.S4, V5.S4
	VFMLA V30.S4, V31.S4, V6.S4
	VFMLA V30.S4, V31.S4, V7.S4
	VFMLA V30.S4, V31.S4, V8.S4
	VFMLA V30.S4, V31.S4, V9.S4
	VFMLA V30.S4, V31.S4, V10.S4
	VFMLA V30.S4, V31.S4, V11.S4
	VFMLA V30.S4, V31.S4, V12.S4
	VFMLA V30.S4, V31.S4, V13.S4
	VFMLA V30.S4, V31.S4, V14.S4
	VFMLA V30.S4, V31.S4, V15.S4
	VFMLA V30.S4, V31.S4, V16.S4
	VFMLA V30.S4, V31.S4, V17.S4
	VFMLA V30.S4, V31.S4, V18.S4
	VFMLA V30.S4, V31.S4, V19.S4
	VFMLA V30.S4, V31.S4, V20.S4
	VFMLA V30.S4, V31.S4, V21.S4
	VFMLA V30.S4, V31.S4, V22.S4
	VFMLA V30.S4, V31.S4, V23.S4
	SUBS  $1, R0
	BNE   loop
	RET

// func neonReadSum(x *float32, n int) float32
TEXT ·neonReadSum(SB), NOSPLIT, $0-20
	MOVD x+0(FP), R0
	MOVD n+8(FP), R1
	VEOR V0.B16, V0.B16, V0.B16
	VEOR V1.B16, V1.B16, V1.B16
	VEOR V2.B16, V2.B16, V2.B16
	VEOR V3.B16, V3.B16, V3.B16
	VEOR V4.B16, V4.B16, V4.B16
	VEOR V5.B16, V5.B16, V5.B16
	VEOR V6.B16, V6.B16, V6.B16
	VEOR V7.B16, V7.B16, V7.B16
	VEOR V8.B16, V8.B16, V8.B16
	VEOR V9.B16, V9.B16, V9.B16
	VEOR V10.B16, V10.B16, V10.B16
	VEOR V11.B16, V11.B16, V11.B16
	VEOR V12.B16, V12.B16, V12.B16
	VEOR V13.B16, V13.B16, V13.B16
	VEOR V14.B16, V14.B16, V14.B16
	VEOR V15.B16, V15.B16, V15.B16

loop:
	FLDPQ 0(R0), (F16, F17)
	FLDPQ 32(R0), (F18, F19)
	FLDPQ 64(R0), (F20, F21)
	FLDPQ 96(R0), (F22, F23)
	FLDPQ 128(R0), (F24, F25)
	FLDPQ 160(R0), (F26, F27)
	FLDPQ 192(R0), (F28, F29)
	FLDPQ 224(R0), (F30, F31)
	FADD4(16, 0, 0)
	FADD4(17, 1, 1)
	FADD4(18, 2, 2)
	FADD4(19, 3, 3)
	FADD4(20, 4, 4)
	FADD4(21, 5, 5)
	FADD4(22, 6, 6)
	FADD4(23, 7, 7)
	FADD4(24, 8, 8)
	FADD4(25, 9, 9)
	FADD4(26, 10, 10)
	FADD4(27, 11, 11)
	FADD4(28, 12, 12)
	FADD4(29, 13, 13)
	FADD4(30, 14, 14)
	FADD4(31, 15, 15)
	ADD   $256, R0
	SUBS  $64, R1
	BNE   loop
	FADD4(8, 0, 0)
	FADD4(9, 1, 1)
	FADD4(10, 2, 2)
	FADD4(11, 3, 3)
	FADD4(12, 4, 4)
	FADD4(13, 5, 5)
	FADD4(14, 6, 6)
	FADD4(15, 7, 7)
	FADD4(4, 0, 0)
	FADD4(5, 1, 1)
	FADD4(6, 2, 2)
	FADD4(7, 3, 3)
	FADD4(2, 0, 0)
	FADD4(3, 1, 1)
	FADD4(1, 0, 0)
	FADDP4(0, 0, 0)
	FADDP4(0, 0, 0)
	FMOVS F0, ret+16(FP)
	RET

// func pause()
TEXT ·pause(SB), NOSPLIT, $0-0
	// YIELD does nothing on most cores; a barrier takes some tens of cycles.
	ISB $15
	RET
