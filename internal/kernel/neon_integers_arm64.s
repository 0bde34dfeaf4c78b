//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"

// Products of 8-bit and 16-bit integers with SDOT, four rows of W to a vector.

// SDOT Vd.4S, Vn.16B, Vm.4B[i]: to each word the products of four bytes of n with
// those of word i of m, with signs
#define SDOT4E(m, i, n, d) WORD $(0x4F80E000 | ((i)&1)<<21 | ((i)>>1)<<11 | (m)<<16 | (n)<<5 | (d))
// SCVTF Vd.4S, Vn.4S: from int32
#define SCVTFW4(n, d) WORD $(0x4E21D800 | (n)<<5 | (d))
// UMAX Vd.4S, Vn.4S, Vm.4S
#define UMAX4(m, n, d) WORD $(0x6EA06400 | (m)<<16 | (n)<<5 | (d))
// UMAXV Sd, Vn.4S
#define UMAXV4(n, d) WORD $(0x6EB0A800 | (n)<<5 | (d))
// ADDV Sd, Vn.4S
#define ADDV4(n, d) WORD $(0x4EB1B800 | (n)<<5 | (d))
// ADD Vd.8H, Vn.8H, Vm.8H
#define ADD8H(m, n, d) WORD $(0x4E608400 | (m)<<16 | (n)<<5 | (d))
// FCVTNS Vd.4S, Vn.4S: to the nearest int32, ties to even
#define FCVTNS4(n, d) WORD $(0x4E21A800 | (n)<<5 | (d))
// XTN Vd.4H, Vn.4S and XTN2 Vd.8H, Vn.4S: the lower halves, into either half of d
#define XTNH(n, d) WORD $(0x0E612800 | (n)<<5 | (d))
#define XTN2H(n, d) WORD $(0x4E612800 | (n)<<5 | (d))
// XTN Vd.8B, Vn.8H and XTN2 Vd.16B, Vn.8H
#define XTNB(n, d) WORD $(0x0E212800 | (n)<<5 | (d))
#define XTN2B(n, d) WORD $(0x4E212800 | (n)<<5 | (d))
// UZP1 and UZP2 Vd.8H, Vn.8H, Vm.8H: the even and the odd elements
#define UZP1H(m, n, d) WORD $(0x4E401800 | (m)<<16 | (n)<<5 | (d))
#define UZP2H(m, n, d) WORD $(0x4E405800 | (m)<<16 | (n)<<5 | (d))
// TRN1 and TRN2 of words and of double words: the even and the odd elements in pairs
#define TRN1S(m, n, d) WORD $(0x4E802800 | (m)<<16 | (n)<<5 | (d))
#define TRN2S(m, n, d) WORD $(0x4E806800 | (m)<<16 | (n)<<5 | (d))
#define TRN1D(m, n, d) WORD $(0x4EC02800 | (m)<<16 | (n)<<5 | (d))
#define TRN2D(m, n, d) WORD $(0x4EC06800 | (m)<<16 | (n)<<5 | (d))
// USHR Vd.16B, Vn.16B, #s
#define USHR16(s, n, d) WORD $(0x6F000400 | (16-(s))<<16 | (n)<<5 | (d))

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

// TURN makes the four rows in V0 to V3 four vectors of one word of every row.
#define TURN(w0, w1, w2, w3) \
	TRN1S(1, 0, 4); \
	TRN2S(1, 0, 5); \
	TRN1S(3, 2, 6); \
	TRN2S(3, 2, 7); \
	TRN1D(6, 4, w0); \
	TRN1D(7, 5, w1); \
	TRN2D(6, 4, w2); \
	TRN2D(7, 5, w3)

// FOUR loads what lies at disp of the four rows.
#define FOUR(disp) \
	FMOVQ disp(R8), F0; \
	FMOVQ disp(R9), F1; \
	FMOVQ disp(R10), F2; \
	FMOVQ disp(R11), F3

#define STEP(bytes) \
	ADD $bytes, R8; \
	ADD $bytes, R9; \
	ADD $bytes, R10; \
	ADD $bytes, R11

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

// DOTS adds to V10 and V11 the products with bytes 0 to 15 and 16 to 31 of x.
#define DOTS(lo, hi) \
	SDOT4E(lo, 0, 16, 10); \
	SDOT4E(hi, 0, 20, 11); \
	SDOT4E(lo, 1, 17, 10); \
	SDOT4E(hi, 1, 21, 11); \
	SDOT4E(lo, 2, 18, 10); \
	SDOT4E(hi, 2, 22, 11); \
	SDOT4E(lo, 3, 19, 10); \
	SDOT4E(hi, 3, 23, 11)

// SUM macros leave the products with the block of x at p in V10 and V11, what lies
// behind its integers in V8, and move p on.
#define SUM_INT8(p) \
	FMOVQ (p), F0; \
	FMOVQ 16(p), F1; \
	FMOVQ 32(p), F8; \
	ADD   $48, p; \
	VEOR  V10.B16, V10.B16, V10.B16; \
	VEOR  V11.B16, V11.B16, V11.B16; \
	DOTS(0, 1)

// A word is its upper byte, rounded, times 256 and its lower one, with a sign.
#define SUM_INT16(p) \
	FLDPQ (p), (F0, F1); \
	FLDPQ 32(p), (F2, F3); \
	FMOVQ 64(p), F8; \
	ADD   $80, p; \
	VTBL  V26.B16, [V0.B16, V1.B16], V4.B16; \
	VTBL  V26.B16, [V2.B16, V3.B16], V5.B16; \
	ADD8H(13, 0, 0); \
	ADD8H(13, 1, 1); \
	ADD8H(13, 2, 2); \
	ADD8H(13, 3, 3); \
	VTBL  V27.B16, [V0.B16, V1.B16], V6.B16; \
	VTBL  V27.B16, [V2.B16, V3.B16], V7.B16; \
	VEOR  V10.B16, V10.B16, V10.B16; \
	VEOR  V11.B16, V11.B16, V11.B16; \
	DOTS(6, 7); \
	SHL4(8, 10, 10); \
	SHL4(8, 11, 11); \
	DOTS(4, 5)

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

TEXT ·neonInt8Q4_0x1(SB), NOSPLIT, $0-64
	ONE(OPEN_Q4_0, ROW_Q4_0, SUM_INT8)

TEXT ·neonInt8Q4_0x4(SB), NOSPLIT, $0-64
	FOURROWS(OPEN_Q4_0, ROW_Q4_0, SUM_INT8)

TEXT ·neonInt8Q4_1x1(SB), NOSPLIT, $0-64
	ONE(OPEN_Q4_1, ROW_Q4_1, SUM_INT8)

TEXT ·neonInt8Q4_1x4(SB), NOSPLIT, $0-64
	FOURROWS(OPEN_Q4_1, ROW_Q4_1, SUM_INT8)

TEXT ·neonInt8Q8_0x1(SB), NOSPLIT, $0-64
	ONE(OPEN_Q8_0, ROW_Q8_0, SUM_INT8)

TEXT ·neonInt8Q8_0x4(SB), NOSPLIT, $0-64
	FOURROWS(OPEN_Q8_0, ROW_Q8_0, SUM_INT8)

TEXT ·neonInt16Q4_0x1(SB), NOSPLIT, $0-64
	ONE(OPEN_Q4_0, ROW_Q4_0, SUM_INT16)

TEXT ·neonInt16Q4_0x4(SB), NOSPLIT, $0-64
	FOURROWS(OPEN_Q4_0, ROW_Q4_0, SUM_INT16)

TEXT ·neonInt16Q4_1x1(SB), NOSPLIT, $0-64
	ONE(OPEN_Q4_1, ROW_Q4_1, SUM_INT16)

TEXT ·neonInt16Q4_1x4(SB), NOSPLIT, $0-64
	FOURROWS(OPEN_Q4_1, ROW_Q4_1, SUM_INT16)

TEXT ·neonInt16Q8_0x1(SB), NOSPLIT, $0-64
	ONE(OPEN_Q8_0, ROW_Q8_0, SUM_INT16)

TEXT ·neonInt16Q8_0x4(SB), NOSPLIT, $0-64
	FOURROWS(OPEN_Q8_0, ROW_Q8_0, SUM_INT16)

TEXT ·neonPackInt8(SB), NOSPLIT, $0-24
	PACK(0x42fe0000, STORE_INT8)

TEXT ·neonPackInt16(SB), NOSPLIT, $0-24
	PACK(0x46fe0000, STORE_INT16)
