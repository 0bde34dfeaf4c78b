//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"
#include "neon_integers_arm64.h"

// Products of 8-bit and 16-bit integers with SDOT, four rows of W to a vector.

// Where the bytes of 16 exchanged words lie, lower ones and upper ones, and of eight
// such words all.
DATA  ·neonLower+0(SB)/8, $0x0E0A0C0806020400
DATA  ·neonLower+8(SB)/8, $0x1E1A1C1816121410
GLOBL ·neonLower(SB), RODATA|NOPTR, $16
DATA  ·neonUpper+0(SB)/8, $0x0F0B0D0907030501
DATA  ·neonUpper+8(SB)/8, $0x1F1B1D1917131511
GLOBL ·neonUpper(SB), RODATA|NOPTR, $16
DATA  ·neonExchange+0(SB)/8, $0x0706030205040100
DATA  ·neonExchange+8(SB)/8, $0x0F0E0B0A0D0C0908
GLOBL ·neonExchange(SB), RODATA|NOPTR, $16

// HALVES makes the words of halves in V16 to V19 those of weights, 0 to 15 there
// and 16 to 31 in V20 to V23.
#define HALVES \
	USHR16(4, 16, 20); \
	USHR16(4, 17, 21); \
	USHR16(4, 18, 22); \
	USHR16(4, 19, 23); \
	VAND V9.B16, V16.B16, V16.B16; \
	VAND V9.B16, V17.B16, V17.B16; \
	VAND V9.B16, V18.B16, V18.B16; \
	VAND V9.B16, V19.B16, V19.B16

// SCALES loads the scales of types without a least weight into V24.
#define SCALES \
	VLD1 (R8), V24.H[0]; \
	VLD1 (R9), V24.H[1]; \
	VLD1 (R10), V24.H[2]; \
	VLD1 (R11), V24.H[3]; \
	FCVTLH(24, 24)

// OPEN macros leave the weights of a block of four rows in V16 to V23, scales in
// V24, and least weights in V25, and move on to the next.
#define OPEN_Q4_1 \
	VLD1 (R8), V25.S[0]; \
	VLD1 (R9), V25.S[1]; \
	VLD1 (R10), V25.S[2]; \
	VLD1 (R11), V25.S[3]; \
	UZP1H(25, 25, 24); \
	UZP2H(25, 25, 25); \
	FCVTLH(24, 24); \
	FCVTLH(25, 25); \
	FOUR(4); \
	STEP(20); \
	TURN(16, 17, 18, 19); \
	HALVES

#define OPEN_Q4_0 \
	SCALES; \
	FOUR(2); \
	STEP(18); \
	TURN(16, 17, 18, 19); \
	HALVES

#define OPEN_Q8_0 \
	SCALES; \
	FOUR(2); \
	TURN(16, 17, 18, 19); \
	FOUR(18); \
	STEP(34); \
	TURN(20, 21, 22, 23)

// ROW macros add a block of x to the chain in acc.
#define ROW(SUM, p, acc) \
	SUM(p); \
	ADD4(11, 10, 10); \
	SCVTFW4(10, 10); \
	FMUL4E(8, 0, 24, 11); \
	FMLA4(11, 10, acc)

#define ROW_Q8_0(SUM, p, acc) ROW(SUM, p, acc)

#define ROW_Q4_1(SUM, p, acc) \
	ROW(SUM, p, acc); \
	FMLA4E(8, 1, 25, acc)

// Halves are 8 too large.
#define ROW_Q4_0(SUM, p, acc) \
	SUM(p); \
	ADD4(11, 10, 10); \
	VDUP V8.S[2], V11.S4; \
	ADD4(11, 10, 10); \
	SCVTFW4(10, 10); \
	FMUL4E(8, 0, 24, 11); \
	FMLA4(11, 10, acc)

// BEGIN loads the arguments and constants.
#define BEGIN \
	MOVD c+0(FP), R0; \
	MOVD ldc+8(FP), R1; \
	LSL  $2, R1, R1; \
	MOVD x+16(FP), R2; \
	MOVD ldx+24(FP), R3; \
	MOVD w+32(FP), R4; \
	MOVD stride+40(FP), R5; \
	MOVD blocks+48(FP), R6; \
	MOVD groups+56(FP), R7; \
	MOVD $·neonLower(SB), R19; \
	FMOVQ (R19), F26; \
	MOVD $·neonUpper(SB), R19; \
	FMOVQ (R19), F27; \
	VMOVI $15, V9.B16; \
	MOVD $0x0080, R19; \
	VDUP R19, V13.H8

// FIRST sets the four rows of W, and those after them for the next group.
#define FIRST \
	MOVD R4, R8; \
	ADD  R5, R8, R9; \
	ADD  R5, R9, R10; \
	ADD  R5, R10, R11; \
	ADD  R5, R11, R4; \
	MOVD R6, R16; \
	MOVD R2, R12

// The rows lie one after the other, so AHEAD asks for weights of the rows that come
// after them.
#define AHEAD \
	PRFM 8192(R8), PLDL1KEEP; \
	PRFM 8192(R9), PLDL1KEEP; \
	PRFM 8192(R10), PLDL1KEEP; \
	PRFM 8192(R11), PLDL1KEEP

// ONE and FOURROWS write the functions for one row of x and for four.
#define ONE(OPEN, ROWS, SUM) \
	BEGIN; \
group: \
	FIRST; \
	VEOR V28.B16, V28.B16, V28.B16; \
block: \
	AHEAD; \
	OPEN; \
	ROWS(SUM, R12, 28); \
	SUBS $1, R16, R16; \
	BNE  block; \
	FMOVQ F28, (R0); \
	ADD  $16, R0; \
	SUBS $1, R7, R7; \
	BNE  group; \
	RET

#define FOURROWS(OPEN, ROWS, SUM) \
	BEGIN; \
group: \
	FIRST; \
	ADD  R3, R12, R13; \
	ADD  R3, R13, R14; \
	ADD  R3, R14, R15; \
	VEOR V28.B16, V28.B16, V28.B16; \
	VEOR V29.B16, V29.B16, V29.B16; \
	VEOR V30.B16, V30.B16, V30.B16; \
	VEOR V31.B16, V31.B16, V31.B16; \
block: \
	AHEAD; \
	OPEN; \
	ROWS(SUM, R12, 28); \
	ROWS(SUM, R13, 29); \
	ROWS(SUM, R14, 30); \
	ROWS(SUM, R15, 31); \
	SUBS $1, R16, R16; \
	BNE  block; \
	MOVD R0, R19; \
	FMOVQ F28, (R19); \
	ADD  R1, R19; \
	FMOVQ F29, (R19); \
	ADD  R1, R19; \
	FMOVQ F30, (R19); \
	ADD  R1, R19; \
	FMOVQ F31, (R19); \
	ADD  $16, R0; \
	SUBS $1, R7, R7; \
	BNE  group; \
	RET

// NARROW makes the 32 integers in V0 to V7 words in V0 to V3.
#define NARROW \
	XTNH(0, 0); \
	XTN2H(1, 0); \
	XTNH(2, 2); \
	XTN2H(3, 2); \
	XTNH(4, 4); \
	XTN2H(5, 4); \
	XTNH(6, 6); \
	XTN2H(7, 6); \
	MOV16(2, 1); \
	MOV16(4, 2); \
	MOV16(6, 3)

#define STORE_INT8 \
	XTNB(0, 0); \
	XTN2B(1, 0); \
	XTNB(2, 2); \
	XTN2B(3, 2); \
	FMOVQ F0, (R0); \
	FMOVQ F2, 16(R0); \
	ADD   $32, R0

#define STORE_INT16 \
	VTBL V26.B16, [V0.B16], V0.B16; \
	VTBL V26.B16, [V1.B16], V1.B16; \
	VTBL V26.B16, [V2.B16], V2.B16; \
	VTBL V26.B16, [V3.B16], V3.B16; \
	FSTPQ (F0, F1), (R0); \
	FSTPQ (F2, F3), 32(R0); \
	ADD   $64, R0

// PACK writes the packing of a row; most is the bits of what the largest number of
// a block becomes.
#define PACK(most, STORE) \
	MOVD dst+0(FP), R0; \
	MOVD x+8(FP), R1; \
	MOVD blocks+16(FP), R2; \
	MOVD $0x7fffffff, R3; \
	VDUP R3, V25.S4; \
	MOVD $·neonExchange(SB), R3; \
	FMOVQ (R3), F26; \
	MOVD $most, R3; \
	FMOVS R3, F18; \
	MOVD $0x0d800000, R4; \
	MOVD $0x7f800000, R5; \
loop: \
	FLDPQ (R1), (F0, F1); \
	FLDPQ 32(R1), (F2, F3); \
	FLDPQ 64(R1), (F4, F5); \
	FLDPQ 96(R1), (F6, F7); \
	ADD   $128, R1; \
	VAND  V25.B16, V0.B16, V16.B16; \
	VAND  V25.B16, V1.B16, V17.B16; \
	UMAX4(17, 16, 16); \
	VAND  V25.B16, V2.B16, V17.B16; \
	UMAX4(17, 16, 16); \
	VAND  V25.B16, V3.B16, V17.B16; \
	UMAX4(17, 16, 16); \
	VAND  V25.B16, V4.B16, V17.B16; \
	UMAX4(17, 16, 16); \
	VAND  V25.B16, V5.B16, V17.B16; \
	UMAX4(17, 16, 16); \
	VAND  V25.B16, V6.B16, V17.B16; \
	UMAX4(17, 16, 16); \
	VAND  V25.B16, V7.B16, V17.B16; \
	UMAX4(17, 16, 16); \
	UMAXV4(16, 16); \
	FMOVS F16, R6; \
	CMPW  R4, R6; \
	BLO   zero; \
	CMPW  R5, R6; \
	BHS   none; \
	FDIVS F18, F16, F19; \
	FDIVS F16, F18, F20; \
	FMUL4E(20, 0, 0, 0); \
	FMUL4E(20, 0, 1, 1); \
	FMUL4E(20, 0, 2, 2); \
	FMUL4E(20, 0, 3, 3); \
	FMUL4E(20, 0, 4, 4); \
	FMUL4E(20, 0, 5, 5); \
	FMUL4E(20, 0, 6, 6); \
	FMUL4E(20, 0, 7, 7); \
	FCVTNS4(0, 0); \
	FCVTNS4(1, 1); \
	FCVTNS4(2, 2); \
	FCVTNS4(3, 3); \
	FCVTNS4(4, 4); \
	FCVTNS4(5, 5); \
	FCVTNS4(6, 6); \
	FCVTNS4(7, 7); \
	ADD4(1, 0, 16); \
	ADD4(2, 16, 16); \
	ADD4(3, 16, 16); \
	ADD4(4, 16, 16); \
	ADD4(5, 16, 16); \
	ADD4(6, 16, 16); \
	ADD4(7, 16, 16); \
	ADDV4(16, 16); \
	FMOVS F16, R6; \
	NARROW; \
	STORE; \
	B     tail; \
none: \
	MOVD  $0x7fc00000, R6; \
	FMOVS R6, F19; \
	B     blank; \
zero: \
	FMOVS ZR, F19; \
blank: \
	MOVD  ZR, R6; \
	VEOR  V0.B16, V0.B16, V0.B16; \
	VEOR  V1.B16, V1.B16, V1.B16; \
	VEOR  V2.B16, V2.B16, V2.B16; \
	VEOR  V3.B16, V3.B16, V3.B16; \
	STORE; \
tail: \
	SCVTFWS R6, F20; \
	FMULS F19, F20, F20; \
	FMOVS F19, (R0); \
	FMOVS F20, 4(R0); \
	NEGW  R6, R6; \
	LSLW  $3, R6, R6; \
	MOVW  R6, 8(R0); \
	LSLW  $4, R6, R6; \
	MOVW  R6, 12(R0); \
	ADD   $16, R0; \
	SUBS  $1, R2, R2; \
	BNE   loop; \
	RET

TEXT ·neonInt8Q4_0x1(SB), NOSPLIT, $0-80
	ONE(OPEN_Q4_0, ROW_Q4_0, SUM_INT8)

TEXT ·neonInt8Q4_0x4(SB), NOSPLIT, $0-80
	FOURROWS(OPEN_Q4_0, ROW_Q4_0, SUM_INT8)

TEXT ·neonInt8Q4_1x1(SB), NOSPLIT, $0-80
	ONE(OPEN_Q4_1, ROW_Q4_1, SUM_INT8)

TEXT ·neonInt8Q4_1x4(SB), NOSPLIT, $0-80
	FOURROWS(OPEN_Q4_1, ROW_Q4_1, SUM_INT8)

TEXT ·neonInt8Q8_0x1(SB), NOSPLIT, $0-80
	ONE(OPEN_Q8_0, ROW_Q8_0, SUM_INT8)

TEXT ·neonInt8Q8_0x4(SB), NOSPLIT, $0-80
	FOURROWS(OPEN_Q8_0, ROW_Q8_0, SUM_INT8)

TEXT ·neonInt16Q4_0x1(SB), NOSPLIT, $0-80
	ONE(OPEN_Q4_0, ROW_Q4_0, SUM_INT16)

TEXT ·neonInt16Q4_0x4(SB), NOSPLIT, $0-80
	FOURROWS(OPEN_Q4_0, ROW_Q4_0, SUM_INT16)

TEXT ·neonInt16Q4_1x1(SB), NOSPLIT, $0-80
	ONE(OPEN_Q4_1, ROW_Q4_1, SUM_INT16)

TEXT ·neonInt16Q4_1x4(SB), NOSPLIT, $0-80
	FOURROWS(OPEN_Q4_1, ROW_Q4_1, SUM_INT16)

TEXT ·neonInt16Q8_0x1(SB), NOSPLIT, $0-80
	ONE(OPEN_Q8_0, ROW_Q8_0, SUM_INT16)

TEXT ·neonInt16Q8_0x4(SB), NOSPLIT, $0-80
	FOURROWS(OPEN_Q8_0, ROW_Q8_0, SUM_INT16)

TEXT ·neonPackInt8(SB), NOSPLIT, $0-24
	PACK(0x42fe0000, STORE_INT8)

TEXT ·neonPackInt16(SB), NOSPLIT, $0-24
	PACK(0x46fe0000, STORE_INT16)
