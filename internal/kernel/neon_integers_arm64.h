// What the loops of products of integers share. Weights of a block of four rows are
// in V16 to V23.

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

// TBL Vd.16B, {Vn.16B}, Vm.16B: the bytes of n that m names
#define TBL16(m, n, d) WORD $(0x4E000000 | (m)<<16 | (n)<<5 | (d))
// CMTST Vd.16B, Vn.16B, Vm.16B: all ones where n and m share a bit
#define CMTST16(m, n, d) WORD $(0x4E208C00 | (m)<<16 | (n)<<5 | (d))
// ORR Vd.16B, Vn.16B, Vm.16B
#define ORR16(m, n, d) WORD $(0x4EA01C00 | (m)<<16 | (n)<<5 | (d))
// SUB Vd.16B, Vn.16B, Vm.16B: d = n - m
#define SUB16(m, n, d) WORD $(0x6E208400 | (m)<<16 | (n)<<5 | (d))
// SHL Vd.16B, Vn.16B, #s
#define SHL16(s, n, d) WORD $(0x4F005400 | (8+(s))<<16 | (n)<<5 | (d))

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
