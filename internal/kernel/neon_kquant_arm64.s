//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"
#include "neon_quant_arm64.h"

// The widening of weights of five bits and of the K types.

DATA  neonFifth<>+0(SB)/8, $0x0000000000000000
DATA  neonFifth<>+8(SB)/8, $0x0101010101010101
DATA  neonFifth<>+16(SB)/8, $0x0202020202020202
DATA  neonFifth<>+24(SB)/8, $0x0303030303030303
DATA  neonFifth<>+32(SB)/8, $0x8040201008040201
DATA  neonFifth<>+40(SB)/8, $0x8040201008040201
GLOBL neonFifth<>(SB), RODATA|NOPTR, $48

// FIVES loads the arguments, the block's byte for each bit into V0 and V1, the bit
// in it into V2, 16 into V3 and 15 into V4.
#define FIVES \
	SPREAD; \
	MOVD  $neonFifth<>(SB), R21; \
	FLDPQ (R21), (F0, F1); \
	FMOVQ 32(R21), F2; \
	VMOVI $16, V3.B16; \
	VMOVI $15, V4.B16; \
	MOVD  dst+0(FP), R0; \
	MOVD  src+8(FP), R1; \
	MOVD  blocks+16(FP), R2

// JOINFIVES makes integers of the halves of the bytes in V17, to V16 and V17, and
// the fifth bits in V5.
#define JOINFIVES \
	VTBL   V0.B16, [V5.B16], V6.B16; \
	VTBL   V1.B16, [V5.B16], V7.B16; \
	VCMTST V2.B16, V6.B16, V6.B16; \
	VCMTST V2.B16, V7.B16, V7.B16; \
	VAND   V3.B16, V6.B16, V6.B16; \
	VAND   V3.B16, V7.B16, V7.B16; \
	VAND   V4.B16, V17.B16, V16.B16; \
	VUSHR  $4, V17.B16, V17.B16; \
	VORR   V6.B16, V16.B16, V16.B16; \
	VORR   V7.B16, V17.B16, V17.B16

// K32 writes 32 weights of a K type: the integers, their products with element e
// of s, each less element e of m.
#define K32(f, s, m, e) \
	TOPS; \
	FRACTIONS(UCVTF4, f, f); \
	FMUL4E(s, e, 20, 20); \
	FMUL4E(s, e, 21, 21); \
	FMUL4E(s, e, 22, 22); \
	FMUL4E(s, e, 23, 23); \
	FMUL4E(s, e, 24, 24); \
	FMUL4E(s, e, 25, 25); \
	FMUL4E(s, e, 26, 26); \
	FMUL4E(s, e, 27, 27); \
	VDUP m.S[e], V19.S4; \
	FNEG4(19, 19); \
	PLUS; \
	STORE32

// K64 writes the 64 weights of 32 bytes at R1, scaled by elements e and e1 of s.
#define K64(s, m, e, e1) \
	FLDPQ.P 32(R1), (F4, F5); \
	VSHL    $4, V4.B16, V16.B16; \
	VSHL    $4, V5.B16, V17.B16; \
	K32(28, s, m, e); \
	VUSHR   $4, V4.B16, V16.B16; \
	VUSHR   $4, V5.B16, V17.B16; \
	K32(24, s, m, e1)

// FIFTHS adds to V16 and V17 the fifth bits in V8 and V9 that V10 names, and lets
// it name the next.
#define FIFTHS \
	VCMTST V10.B16, V8.B16, V6.B16; \
	VCMTST V10.B16, V9.B16, V7.B16; \
	VAND   V11.B16, V6.B16, V6.B16; \
	VAND   V11.B16, V7.B16, V7.B16; \
	VORR   V6.B16, V16.B16, V16.B16; \
	VORR   V7.B16, V17.B16, V17.B16; \
	VADD   V10.B16, V10.B16, V10.B16

// K64F is K64 with fifth bits; V12 is 15.
#define K64F(s, m, e, e1) \
	FLDPQ.P 32(R1), (F4, F5); \
	VAND    V12.B16, V4.B16, V16.B16; \
	VAND    V12.B16, V5.B16, V17.B16; \
	FIFTHS; \
	K32(24, s, m, e); \
	VUSHR   $4, V4.B16, V16.B16; \
	VUSHR   $4, V5.B16, V17.B16; \
	FIFTHS; \
	K32(24, s, m, e1)

// SIXES writes 32 weights of Q6_K, their lower bits in V16 and V17 and the upper
// ones, where they belong, in V6 and V7 among others, scaled by elements e and e1
// of s. V13 is 0x30, V14 is 32.
#define SIXES(s, e, e1) \
	VAND V13.B16, V6.B16, V6.B16; \
	VAND V13.B16, V7.B16, V7.B16; \
	VORR V6.B16, V16.B16, V16.B16; \
	VORR V7.B16, V17.B16, V17.B16; \
	VSUB V14.B16, V16.B16, V16.B16; \
	VSUB V14.B16, V17.B16, V17.B16; \
	TOPS; \
	FRACTIONS(SCVTF4, 24, 24); \
	FMUL4E(s, e, 20, 20); \
	FMUL4E(s, e, 21, 21); \
	FMUL4E(s, e, 22, 22); \
	FMUL4E(s, e, 23, 23); \
	FMUL4E(s, e1, 24, 24); \
	FMUL4E(s, e1, 25, 25); \
	FMUL4E(s, e1, 26, 26); \
	FMUL4E(s, e1, 27, 27); \
	STORE32

// SIXES128 writes half a block, its lower bits at R1 and upper bits at R2, scaled
// by s and then t. V12 is 15.
#define SIXES128(s, t) \
	FLDPQ.P 32(R1), (F4, F5); \
	FLDPQ.P 32(R1), (F10, F11); \
	FLDPQ.P 32(R2), (F8, F9); \
	VAND    V12.B16, V4.B16, V16.B16; \
	VAND    V12.B16, V5.B16, V17.B16; \
	VSHL    $4, V8.B16, V6.B16; \
	VSHL    $4, V9.B16, V7.B16; \
	SIXES(s, 0, 1); \
	VAND    V12.B16, V10.B16, V16.B16; \
	VAND    V12.B16, V11.B16, V17.B16; \
	VSHL    $2, V8.B16, V6.B16; \
	VSHL    $2, V9.B16, V7.B16; \
	SIXES(s, 2, 3); \
	VUSHR   $4, V4.B16, V16.B16; \
	VUSHR   $4, V5.B16, V17.B16; \
	VMOV    V8.B16, V6.B16; \
	VMOV    V9.B16, V7.B16; \
	SIXES(t, 0, 1); \
	VUSHR   $4, V10.B16, V16.B16; \
	VUSHR   $4, V11.B16, V17.B16; \
	VUSHR   $2, V8.B16, V6.B16; \
	VUSHR   $2, V9.B16, V7.B16; \
	SIXES(t, 2, 3)

// func neonWidenQ5_0(dst *float32, src *byte, blocks int)
TEXT ·neonWidenQ5_0(SB), NOSPLIT, $0-24
	FIVES

loop:
	FMOVS (R1), F18
	FMOVS 2(R1), F5
	FMOVQ 6(R1), F17
	ADD   $22, R1
	FCVTLH(18, 18)
	JOINFIVES
	VSUB  V3.B16, V16.B16, V16.B16
	VSUB  V3.B16, V17.B16, V17.B16
	TOPS
	FRACTIONS(SCVTF4, 24, 24)
	TIMES
	STORE32
	SUBS  $1, R2
	BNE   loop
	RET

// func neonWidenQ5_1(dst *float32, src *byte, blocks int)
TEXT ·neonWidenQ5_1(SB), NOSPLIT, $0-24
	FIVES

loop:
	FMOVS (R1), F18
	FMOVS 4(R1), F5
	FMOVQ 8(R1), F17
	ADD   $24, R1
	FCVTLH(18, 18)
	VDUP  V18.S[1], V19.S4
	JOINFIVES
	TOPS
	FRACTIONS(UCVTF4, 24, 24)
	TIMES
	PLUS
	STORE32
	SUBS  $1, R2
	BNE   loop
	RET

// func neonWidenQ4_K(dst *float32, q *byte, scales *[16]float32)
TEXT ·neonWidenQ4_K(SB), NOSPLIT, $0-24
	SPREAD
	MOVD  dst+0(FP), R0
	MOVD  q+8(FP), R1
	MOVD  scales+16(FP), R2
	FLDPQ (R2), (F0, F1)
	FLDPQ 32(R2), (F2, F3)
	K64(0, V2, 0, 1)
	K64(0, V2, 2, 3)
	K64(1, V3, 0, 1)
	K64(1, V3, 2, 3)
	RET

// func neonWidenQ5_K(dst *float32, q, h *byte, scales *[16]float32)
TEXT ·neonWidenQ5_K(SB), NOSPLIT, $0-32
	SPREAD
	MOVD  dst+0(FP), R0
	MOVD  q+8(FP), R1
	MOVD  h+16(FP), R3
	FLDPQ (R3), (F8, F9)
	MOVD  scales+24(FP), R2
	FLDPQ (R2), (F0, F1)
	FLDPQ 32(R2), (F2, F3)
	VMOVI $1, V10.B16
	VMOVI $16, V11.B16
	VMOVI $15, V12.B16
	K64F(0, V2, 0, 1)
	K64F(0, V2, 2, 3)
	K64F(1, V3, 0, 1)
	K64F(1, V3, 2, 3)
	RET

// func neonWidenQ6_K(dst *float32, q *byte, scales *[16]float32)
TEXT ·neonWidenQ6_K(SB), NOSPLIT, $0-24
	SPREAD
	MOVD  dst+0(FP), R0
	MOVD  q+8(FP), R1
	ADD   $128, R1, R2
	MOVD  scales+16(FP), R3
	FLDPQ (R3), (F0, F1)
	FLDPQ 32(R3), (F2, F3)
	VMOVI $15, V12.B16
	VMOVI $0x30, V13.B16
	VMOVI $32, V14.B16
	SIXES128(0, 1)
	SIXES128(2, 3)
	RET
