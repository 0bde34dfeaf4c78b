//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"
#include "neon_integers_arm64.h"

// Weights turned for four rows of W: 32 of each row in eight vectors of bytes with
// signs, and two vectors of float32, 160 bytes.

// Where byte i of every word lies, for its top.
DATA  ·neonTop+0(SB)/8, $0x04FFFFFF00FFFFFF
DATA  ·neonTop+8(SB)/8, $0x0CFFFFFF08FFFFFF
DATA  ·neonTop+16(SB)/8, $0x05FFFFFF01FFFFFF
DATA  ·neonTop+24(SB)/8, $0x0DFFFFFF09FFFFFF
DATA  ·neonTop+32(SB)/8, $0x06FFFFFF02FFFFFF
DATA  ·neonTop+40(SB)/8, $0x0EFFFFFF0AFFFFFF
DATA  ·neonTop+48(SB)/8, $0x07FFFFFF03FFFFFF
DATA  ·neonTop+56(SB)/8, $0x0FFFFFFF0BFFFFFF
GLOBL ·neonTop(SB), RODATA|NOPTR, $64

// Where byte i of every word lies, for all bytes of it, and the bits of weights 0 to 3
// and 4 to 7 in it.
DATA  ·neonFour+0(SB)/8, $0x0404040400000000
DATA  ·neonFour+8(SB)/8, $0x0C0C0C0C08080808
DATA  ·neonFour+16(SB)/8, $0x0505050501010101
DATA  ·neonFour+24(SB)/8, $0x0D0D0D0D09090909
DATA  ·neonFour+32(SB)/8, $0x0606060602020202
DATA  ·neonFour+40(SB)/8, $0x0E0E0E0E0A0A0A0A
DATA  ·neonFour+48(SB)/8, $0x0707070703030303
DATA  ·neonFour+56(SB)/8, $0x0F0F0F0F0B0B0B0B
DATA  ·neonFour+64(SB)/8, $0x0804020108040201
DATA  ·neonFour+72(SB)/8, $0x0804020108040201
DATA  ·neonFour+80(SB)/8, $0x8040201080402010
DATA  ·neonFour+88(SB)/8, $0x8040201080402010
GLOBL ·neonFour(SB), RODATA|NOPTR, $96

// TURNS loads the arguments of a loop that turns, and 15 into V9.
#define TURNS \
	MOVD dst+0(FP), R0; \
	MOVD w+8(FP), R8; \
	MOVD stride+16(FP), R5; \
	MOVD blocks+24(FP), R2; \
	ADD  R5, R8, R9; \
	ADD  R5, R9, R10; \
	ADD  R5, R10, R11; \
	MOVD $·neonTop(SB), R3; \
	VMOVI $15, V9.B16

// MULTIPLIES loads the arguments of a loop that multiplies, and what SUM_INT16
// needs.
#define MULTIPLIES \
	MOVD c+0(FP), R0; \
	MOVD ldc+8(FP), R1; \
	LSL  $2, R1, R1; \
	MOVD x+16(FP), R12; \
	MOVD ldx+24(FP), R3; \
	MOVD w+32(FP), R8; \
	MOVD blocks+40(FP), R16; \
	MOVD add+48(FP), R7; \
	MOVD $·neonLower(SB), R19; \
	FMOVQ (R19), F26; \
	MOVD $·neonUpper(SB), R19; \
	FMOVQ (R19), F27; \
	MOVD $0x0080, R19; \
	VDUP R19, V13.H8

// SOON asks for a super-block of the rows that come after.
#define SOON(p) \
	PRFM 8192(p), PLDL1KEEP; \
	PRFM 8256(p), PLDL1KEEP; \
	PRFM 8320(p), PLDL1KEEP

#define SOONER \
	SOON(R8); \
	SOON(R9); \
	SOON(R10); \
	SOON(R11)

// PLACE stores a byte of each word of n, spread by s, times the scales in d.
#define PLACE(CVT, s, n, d, at) \
	TBL16(s, n, 30); \
	CVT(24, 30, 30); \
	FMUL4(d, 30, 30); \
	FMOVQ F30, at(R0)

// FOURBYTES does so for four blocks; V26 to V29 are the tables.
#define FOURBYTES(n, d, at) \
	PLACE(UCVTF4, 26, n, d, at); \
	PLACE(UCVTF4, 27, n, d, at+160); \
	PLACE(UCVTF4, 28, n, d, at+320); \
	PLACE(UCVTF4, 29, n, d, at+480)

#define TABLES \
	FLDPQ (R3), (F26, F27); \
	FLDPQ 32(R3), (F28, F29)

// SCALESMINS stores the scales and least weights of a super-block of Q4_K or Q5_K.
#define SCALESMINS \
	TABLES; \
	VMOVI $0x3f, V14.B16; \
	VMOVI $0x30, V15.B16; \
	FOUR(0); \
	TURN(16, 17, 18, 19); \
	UZP1H(16, 16, 20); \
	UZP2H(16, 16, 21); \
	FCVTLH(20, 20); \
	FCVTLH(21, 21); \
	FNEG4(21, 21); \
	VAND V14.B16, V17.B16, V22.B16; \
	VAND V14.B16, V18.B16, V23.B16; \
	USHR16(2, 17, 17); \
	USHR16(2, 18, 18); \
	VAND V15.B16, V17.B16, V17.B16; \
	VAND V15.B16, V18.B16, V18.B16; \
	VAND V9.B16, V19.B16, V24.B16; \
	USHR16(4, 19, 25); \
	VORR V17.B16, V24.B16, V24.B16; \
	VORR V18.B16, V25.B16, V25.B16; \
	FOURBYTES(22, 20, 128); \
	FOURBYTES(24, 20, 768); \
	FOURBYTES(23, 21, 144); \
	FOURBYTES(25, 21, 784)

// LOWER leaves the lower halves of the bytes in V16 to V19 in V20 to V23, and UPPER
// the upper ones.
#define LOWER \
	VAND V9.B16, V16.B16, V20.B16; \
	VAND V9.B16, V17.B16, V21.B16; \
	VAND V9.B16, V18.B16, V22.B16; \
	VAND V9.B16, V19.B16, V23.B16

#define UPPER \
	USHR16(4, 16, 20); \
	USHR16(4, 17, 21); \
	USHR16(4, 18, 22); \
	USHR16(4, 19, 23)

#define KEEP(at) \
	FSTPQ (F20, F21), at(R12); \
	FSTPQ (F22, F23), at+32(R12)

#define QUARTER(at, p) \
	FOUR(at); \
	TURN(16, 17, 18, 19); \
	LOWER; \
	KEEP(p); \
	UPPER; \
	KEEP(160+p)

#define CHUNK(at) \
	QUARTER(at, 0); \
	QUARTER(at+16, 64); \
	ADD $320, R12

// func neonTurnQ4_K(dst, w *byte, stride, blocks int)
TEXT ·neonTurnQ4_K(SB), NOSPLIT, $0-32
	TURNS
loop:
	SOONER
	SCALESMINS
	MOVD R0, R12
	CHUNK(16)
	CHUNK(48)
	CHUNK(80)
	CHUNK(112)
	STEP(144)
	ADD  $1280, R0
	SUBS $1, R2, R2
	BNE  loop
	RET

// FIFTH adds to n the fifth bits of those in h that bit names; V11 is 16.
#define FIFTH(bit, h, n) \
	CMTST16(bit, h, 4); \
	VAND V11.B16, V4.B16, V4.B16; \
	ORR16(4, n, n)

#define FIFTHS4(bit, h0, h1, h2, h3) \
	FIFTH(bit, h0, 20); \
	FIFTH(bit, h1, 21); \
	FIFTH(bit, h2, 22); \
	FIFTH(bit, h3, 23)

#define QUARTERF(at, p, h0, h1, h2, h3) \
	FOUR(at); \
	TURN(16, 17, 18, 19); \
	LOWER; \
	FIFTHS4(10, h0, h1, h2, h3); \
	KEEP(p); \
	UPPER; \
	FIFTHS4(12, h0, h1, h2, h3); \
	KEEP(160+p)

#define CHUNKF(at) \
	QUARTERF(at, 0, 24, 25, 26, 27); \
	QUARTERF(at+16, 64, 28, 29, 30, 31); \
	ADD  $320, R12; \
	VSHL $2, V10.B16, V10.B16; \
	VSHL $2, V12.B16, V12.B16

// func neonTurnQ5_K(dst, w *byte, stride, blocks int)
TEXT ·neonTurnQ5_K(SB), NOSPLIT, $0-32
	TURNS
	VMOVI $16, V11.B16
loop:
	SOONER
	SCALESMINS
	MOVD  R0, R12
	FOUR(16)
	TURN(24, 25, 26, 27)
	FOUR(32)
	TURN(28, 29, 30, 31)
	VMOVI $1, V10.B16
	VMOVI $2, V12.B16
	CHUNKF(48)
	CHUNKF(80)
	CHUNKF(112)
	CHUNKF(144)
	STEP(176)
	ADD   $1280, R0
	SUBS  $1, R2, R2
	BNE   loop
	RET

// FOURTHS loads the tables of fifth bits, and 16 into V11.
#define FOURTHS \
	VMOVI $16, V11.B16; \
	MOVD  $·neonFour(SB), R13; \
	FLDPQ (R13), (F24, F25); \
	FLDPQ 32(R13), (F26, F27); \
	FLDPQ 64(R13), (F28, F29)

// SPREADFIFTHS adds to V20 to V23 the fifth bits in V15 of eight weights each, of
// which t and t1 are the tables.
#define SPREADFIFTHS(t, t1) \
	TBL16(t, 15, 0); \
	TBL16(t1, 15, 1); \
	FIFTH(28, 0, 20); \
	FIFTH(29, 0, 21); \
	FIFTH(28, 1, 22); \
	FIFTH(29, 1, 23)

// LESS takes away what is in V10.
#define LESS \
	SUB16(10, 20, 20); \
	SUB16(10, 21, 21); \
	SUB16(10, 22, 22); \
	SUB16(10, 23, 23)

// FIVES turns the halves at disp with the fifth bits in V15.
#define FIVES(disp) \
	FOUR(disp); \
	TURN(16, 17, 18, 19); \
	MOVD R0, R12; \
	LOWER; \
	SPREADFIFTHS(24, 25); \
	LESS; \
	KEEP(0); \
	UPPER; \
	SPREADFIFTHS(26, 27); \
	LESS; \
	KEEP(64)

// AFTER asks for what lies ahead of a block.
#define AFTER \
	PRFM 8192(R8), PLDL1KEEP; \
	PRFM 8192(R9), PLDL1KEEP; \
	PRFM 8192(R10), PLDL1KEEP; \
	PRFM 8192(R11), PLDL1KEEP

// func neonTurnQ5_0(dst, w *byte, stride, blocks int)
TEXT ·neonTurnQ5_0(SB), NOSPLIT, $0-32
	TURNS
	FOURTHS
	VMOVI $16, V10.B16
loop:
	AFTER
	FOUR(0)
	TURN(16, 17, 18, 19)
	UZP1H(16, 16, 14)
	FCVTLH(14, 14)
	FMOVQ F14, 128(R0)
	VUSHR $16, V16.S4, V16.S4
	VSHL  $16, V17.S4, V15.S4
	ORR16(16, 15, 15)
	FIVES(6)
	STEP(22)
	ADD   $160, R0
	SUBS  $1, R2, R2
	BNE   loop
	RET

// func neonTurnQ5_1(dst, w *byte, stride, blocks int)
TEXT ·neonTurnQ5_1(SB), NOSPLIT, $0-32
	TURNS
	FOURTHS
	VEOR V10.B16, V10.B16, V10.B16
loop:
	AFTER
	FOUR(0)
	TURN(16, 15, 18, 19)
	UZP1H(16, 16, 14)
	UZP2H(16, 16, 16)
	FCVTLH(14, 14)
	FCVTLH(16, 16)
	FMOVQ F14, 128(R0)
	FMOVQ F16, 144(R0)
	FIVES(8)
	STEP(24)
	ADD   $160, R0
	SUBS  $1, R2, R2
	BNE   loop
	RET

#define UP4(n, d) SHL16(4, n, d)
#define UP2(n, d) SHL16(2, n, d)
#define SAME(n, d) MOV16(n, d)
#define DOWN2(n, d) USHR16(2, n, d)

// UPPER6 adds to n the upper bits in h, and takes away 32, in V14; V15 is 0x30.
#define UPPER6(SHIFT, h, n) \
	SHIFT(h, 4); \
	VAND V15.B16, V4.B16, V4.B16; \
	ORR16(4, n, n); \
	SUB16(14, n, n)

#define UPPERS6(SHIFT, h0, h1, h2, h3) \
	UPPER6(SHIFT, h0, 20); \
	UPPER6(SHIFT, h1, 21); \
	UPPER6(SHIFT, h2, 22); \
	UPPER6(SHIFT, h3, 23)

#define QUARTER6(at, p, LO, HI, h0, h1, h2, h3) \
	FOUR(at); \
	TURN(16, 17, 18, 19); \
	LOWER; \
	UPPERS6(LO, h0, h1, h2, h3); \
	KEEP(p); \
	UPPER; \
	UPPERS6(HI, h0, h1, h2, h3); \
	KEEP(320+p)

// HALF6 turns 128 weights, with lower bits at one place of the block and upper ones
// at the other.
#define HALF6(lo, hi) \
	FOUR(hi); \
	TURN(24, 25, 26, 27); \
	FOUR(hi+16); \
	TURN(28, 29, 30, 31); \
	QUARTER6(lo, 0, UP4, SAME, 24, 25, 26, 27); \
	QUARTER6(lo+16, 64, UP4, SAME, 28, 29, 30, 31); \
	QUARTER6(lo+32, 160, UP2, DOWN2, 24, 25, 26, 27); \
	QUARTER6(lo+48, 224, UP2, DOWN2, 28, 29, 30, 31); \
	ADD $640, R12

// FOURSCALES stores the scales of four times 16 weights.
#define FOURSCALES(n, at) \
	PLACE(SCVTF4, 26, n, 20, at); \
	PLACE(SCVTF4, 27, n, 20, at+16); \
	PLACE(SCVTF4, 28, n, 20, at+160); \
	PLACE(SCVTF4, 29, n, 20, at+176)

// func neonTurnQ6_K(dst, w *byte, stride, blocks int)
TEXT ·neonTurnQ6_K(SB), NOSPLIT, $0-32
	TURNS
	VMOVI $32, V14.B16
	VMOVI $0x30, V15.B16
loop:
	SOONER
	TABLES
	ADD  $208, R8, R13
	VLD1 (R13), V20.H[0]
	ADD  $208, R9, R13
	VLD1 (R13), V20.H[1]
	ADD  $208, R10, R13
	VLD1 (R13), V20.H[2]
	ADD  $208, R11, R13
	VLD1 (R13), V20.H[3]
	FCVTLH(20, 20)
	FOUR(192)
	TURN(22, 23, 24, 25)
	FOURSCALES(22, 128)
	FOURSCALES(23, 448)
	FOURSCALES(24, 768)
	FOURSCALES(25, 1088)
	MOVD R0, R12
	HALF6(0, 128)
	HALF6(64, 160)
	STEP(210)
	ADD  $1280, R0
	SUBS $1, R2, R2
	BNE  loop
	RET

// OPEN_TURNED loads a block.
#define OPEN_TURNED \
	FLDPQ (R8), (F16, F17); \
	FLDPQ 32(R8), (F18, F19); \
	FLDPQ 64(R8), (F20, F21); \
	FLDPQ 96(R8), (F22, F23); \
	FLDPQ 128(R8), (F24, F25); \
	ADD   $160, R8

#define ROW_PLAIN(p, acc) \
	SUM_INT16(p); \
	ADD4(11, 10, 10); \
	SCVTFW4(10, 10); \
	FMUL4E(8, 0, 24, 11); \
	FMLA4(11, 10, acc)

#define ROW_LEAST(p, acc) \
	ROW_PLAIN(p, acc); \
	FMLA4E(8, 1, 25, acc)

// Those of the first 16 are in V10, those of the last in V11.
#define ROW_HALVES(p, acc) \
	SUM_INT16(p); \
	SCVTFW4(10, 10); \
	SCVTFW4(11, 11); \
	FMUL4E(8, 0, 24, 12); \
	FMLA4(12, 10, acc); \
	FMUL4E(8, 0, 25, 12); \
	FMLA4(12, 11, acc)

#define TURNED1(ROWS) \
	MULTIPLIES; \
	VEOR V28.B16, V28.B16, V28.B16; \
	CBZ  R7, block; \
	FMOVQ (R0), F28; \
block: \
	OPEN_TURNED; \
	ROWS(R12, 28); \
	SUBS $1, R16, R16; \
	BNE  block; \
	FMOVQ F28, (R0); \
	RET

#define TURNED4(ROWS) \
	MULTIPLIES; \
	ADD  R3, R12, R13; \
	ADD  R3, R13, R14; \
	ADD  R3, R14, R15; \
	ADD  R1, R0, R4; \
	ADD  R1, R4, R5; \
	ADD  R1, R5, R6; \
	VEOR V28.B16, V28.B16, V28.B16; \
	VEOR V29.B16, V29.B16, V29.B16; \
	VEOR V30.B16, V30.B16, V30.B16; \
	VEOR V31.B16, V31.B16, V31.B16; \
	CBZ  R7, block; \
	FMOVQ (R0), F28; \
	FMOVQ (R4), F29; \
	FMOVQ (R5), F30; \
	FMOVQ (R6), F31; \
block: \
	OPEN_TURNED; \
	ROWS(R12, 28); \
	ROWS(R13, 29); \
	ROWS(R14, 30); \
	ROWS(R15, 31); \
	SUBS $1, R16, R16; \
	BNE  block; \
	FMOVQ F28, (R0); \
	FMOVQ F29, (R4); \
	FMOVQ F30, (R5); \
	FMOVQ F31, (R6); \
	RET

// func neonTurnedLeastx1(c *float32, ldc int, x *byte, ldx int, w *byte, blocks, add int)
TEXT ·neonTurnedLeastx1(SB), NOSPLIT, $0-56
	TURNED1(ROW_LEAST)

// func neonTurnedLeastx4(c *float32, ldc int, x *byte, ldx int, w *byte, blocks, add int)
TEXT ·neonTurnedLeastx4(SB), NOSPLIT, $0-56
	TURNED4(ROW_LEAST)

// func neonTurnedHalvesx1(c *float32, ldc int, x *byte, ldx int, w *byte, blocks, add int)
TEXT ·neonTurnedHalvesx1(SB), NOSPLIT, $0-56
	TURNED1(ROW_HALVES)

// func neonTurnedHalvesx4(c *float32, ldc int, x *byte, ldx int, w *byte, blocks, add int)
TEXT ·neonTurnedHalvesx4(SB), NOSPLIT, $0-56
	TURNED4(ROW_HALVES)

// func neonTurnedPlainx1(c *float32, ldc int, x *byte, ldx int, w *byte, blocks, add int)
TEXT ·neonTurnedPlainx1(SB), NOSPLIT, $0-56
	TURNED1(ROW_PLAIN)

// func neonTurnedPlainx4(c *float32, ldc int, x *byte, ldx int, w *byte, blocks, add int)
TEXT ·neonTurnedPlainx4(SB), NOSPLIT, $0-56
	TURNED4(ROW_PLAIN)
