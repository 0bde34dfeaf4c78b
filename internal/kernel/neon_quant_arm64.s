//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"
#include "neon_quant_arm64.h"

// Loops over blocks of 32 weights. UNPACK macros leave the weights of the block at
// p in V20 to V27, move p to the next block and use V16 to V19.

DATA  ·neonSpread+0(SB)/8, $0x01FFFFFF00FFFFFF
DATA  ·neonSpread+8(SB)/8, $0x03FFFFFF02FFFFFF
DATA  ·neonSpread+16(SB)/8, $0x05FFFFFF04FFFFFF
DATA  ·neonSpread+24(SB)/8, $0x07FFFFFF06FFFFFF
DATA  ·neonSpread+32(SB)/8, $0x09FFFFFF08FFFFFF
DATA  ·neonSpread+40(SB)/8, $0x0BFFFFFF0AFFFFFF
DATA  ·neonSpread+48(SB)/8, $0x0DFFFFFF0CFFFFFF
DATA  ·neonSpread+56(SB)/8, $0x0FFFFFFF0EFFFFFF
GLOBL ·neonSpread(SB), RODATA|NOPTR, $64

// 39 instructions. The low halves of the bytes are weights 0 to 15, the high ones
// 16 to 31.
#define UNPACK_Q4_1(p) \
	FMOVS (p), F18; \
	FMOVQ 4(p), F17; \
	ADD   $20, p; \
	FCVTLH(18, 18); \
	VDUP  V18.S[1], V19.S4; \
	VSHL  $4, V17.B16, V16.B16; \
	VUSHR $4, V17.B16, V17.B16; \
	TOPS; \
	FRACTIONS(UCVTF4, 28, 24); \
	TIMES; \
	PLUS

// 32 instructions. With its top bit turned over, half a byte is the signed number
// that is 8 less.
#define UNPACK_Q4_0(p) \
	FMOVS (p), F18; \
	FMOVQ 2(p), F17; \
	ADD   $18, p; \
	FCVTLH(18, 18); \
	VMOVI $0x88, V19.B16; \
	VEOR  V19.B16, V17.B16, V17.B16; \
	VSHL  $4, V17.B16, V16.B16; \
	SSHR16(4, 17, 17); \
	TOPS; \
	FRACTIONS(SCVTF4, 28, 24); \
	TIMES

// 29 instructions.
#define UNPACK_Q8_0(p) \
	FMOVS (p), F18; \
	FMOVQ 2(p), F16; \
	FMOVQ 18(p), F17; \
	ADD   $34, p; \
	FCVTLH(18, 18); \
	TOPS; \
	FRACTIONS(SCVTF4, 24, 24); \
	TIMES

// 10 instructions.
#define UNPACK_F16(p) \
	FLDPQ.P 32(p), (F16, F17); \
	FLDPQ.P 32(p), (F18, F19); \
	FCVTLH(16, 20); \
	FCVTL2H(16, 21); \
	FCVTLH(17, 22); \
	FCVTL2H(17, 23); \
	FCVTLH(18, 24); \
	FCVTL2H(18, 25); \
	FCVTLH(19, 26); \
	FCVTL2H(19, 27)

// 10 instructions. V28 is zero.
#define UNPACK_BF16(p) \
	FLDPQ.P 32(p), (F16, F17); \
	FLDPQ.P 32(p), (F18, F19); \
	VZIP1   V16.H8, V28.H8, V20.H8; \
	VZIP2   V16.H8, V28.H8, V21.H8; \
	VZIP1   V17.H8, V28.H8, V22.H8; \
	VZIP2   V17.H8, V28.H8, V23.H8; \
	VZIP1   V18.H8, V28.H8, V24.H8; \
	VZIP2   V18.H8, V28.H8, V25.H8; \
	VZIP1   V19.H8, V28.H8, V26.H8; \
	VZIP2   V19.H8, V28.H8, V27.H8

#define ZERO28 VEOR V28.B16, V28.B16, V28.B16

// WIDEN writes the weights of R2 blocks at R1 to R0.
#define WIDEN(UNPACK) \
	MOVD    dst+0(FP), R0; \
	MOVD    src+8(FP), R1; \
	MOVD    blocks+16(FP), R2; \
loop: \
	UNPACK(R1); \
	STORE32; \
	SUBS    $1, R2; \
	BNE     loop; \
	RET

// The products of one to four rows of A with rows of W. Each row of W is unpacked
// once and multiplied with all rows of A; the chains of lanes 0 to 3 and 4 to 7
// are in pairs of V0 to V7, so that there are four pairs whatever the shape.
//
// R0 c, R1 ldc, R2 a, R3 lda, R4 w, R5 rowBytes, R6 order, R7 n, R8 blocks,
// R9 chunk; R10 blocks left, R11 blocks left in the chunk, R12 to R15 rows of A,
// R16, R17, R19, R20 rows of W.

#define LOADARGS \
	MOVD c+0(FP), R0; \
	MOVD ldc+8(FP), R1; \
	LSL  $2, R1; \
	MOVD a+16(FP), R2; \
	MOVD lda+24(FP), R3; \
	LSL  $2, R3; \
	MOVD w+32(FP), R4; \
	MOVD rowBytes+40(FP), R5; \
	MOVD order+48(FP), R6; \
	MOVD n+56(FP), R7; \
	MOVD blocks+64(FP), R8; \
	MOVD chunk+72(FP), R9

// NEXTROW lets p point to the next row of W.
#define NEXTROW(p) \
	CBZ    R6, 5(PC); \
	MOVW.P 4(R6), R21; \
	MUL    R5, R21, R21; \
	ADD    R4, R21, p; \
	B      3(PC); \
	MOVD   R4, p; \
	ADD    R5, R4

// STARTROWS clears the sums of chunks: to -0, so that the first of them is added
// without a change.
#define STARTROWS \
	MOVD  R8, R10; \
	VMOVI $0x80, V16.B16; \
	VSHL  $24, V16.S4, V16.S4; \
	FMOVQ F16, sums-16(SP)

#define STARTCHUNK \
	CMP  R9, R10; \
	CSEL LT, R10, R9, R11; \
	SUB  R11, R10; \
	VEOR V0.B16, V0.B16, V0.B16; \
	VEOR V1.B16, V1.B16, V1.B16; \
	VEOR V2.B16, V2.B16, V2.B16; \
	VEOR V3.B16, V3.B16, V3.B16; \
	VEOR V4.B16, V4.B16, V4.B16; \
	VEOR V5.B16, V5.B16, V5.B16; \
	VEOR V6.B16, V6.B16, V6.B16; \
	VEOR V7.B16, V7.B16, V7.B16

// ENDCHUNK adds the chunk to the sums, which are then in V16 too.
#define ENDCHUNK \
	SUM4(0, 1, 2, 3, 4, 5, 6, 7, 16); \
	FMOVQ sums-16(SP), F17; \
	FADD4(16, 17, 16); \
	FMOVQ F16, sums-16(SP)

// ahead is how many bytes ahead of the weights at hand others are asked for: those
// of the rows that come after.
#define AHEAD(p) PRFM 4096(p), PLDL1KEEP

// FMA8 adds the products of a row of A in V8 to V15.
#define FMA8(lo, hi) \
	VFMLA V20.S4, V8.S4, lo.S4; \
	VFMLA V21.S4, V9.S4, hi.S4; \
	VFMLA V22.S4, V10.S4, lo.S4; \
	VFMLA V23.S4, V11.S4, hi.S4; \
	VFMLA V24.S4, V12.S4, lo.S4; \
	VFMLA V25.S4, V13.S4, hi.S4; \
	VFMLA V26.S4, V14.S4, lo.S4; \
	VFMLA V27.S4, V15.S4, hi.S4

// STEP adds the products of the eight floats of A at off(p).
#define STEP(off, p, w0, w1, lo, hi) \
	FLDPQ off(p), (F8, F9); \
	VFMLA w0.S4, V8.S4, lo.S4; \
	VFMLA w1.S4, V9.S4, hi.S4

// MUL1 multiplies one row of A with four of W at a time: besides unpacking, 42
// instructions for four blocks.
#define MUL1(UNPACK) \
	LOADARGS; \
rows: \
	NEXTROW(R16); \
	NEXTROW(R17); \
	NEXTROW(R19); \
	NEXTROW(R20); \
	MOVD    R2, R12; \
	STARTROWS; \
chunk: \
	STARTCHUNK; \
block: \
	FLDPQ.P 32(R12), (F8, F9); \
	FLDPQ.P 32(R12), (F10, F11); \
	FLDPQ.P 32(R12), (F12, F13); \
	FLDPQ.P 32(R12), (F14, F15); \
	AHEAD(R16); \
	UNPACK(R16); \
	FMA8(V0, V1); \
	AHEAD(R17); \
	UNPACK(R17); \
	FMA8(V2, V3); \
	AHEAD(R19); \
	UNPACK(R19); \
	FMA8(V4, V5); \
	AHEAD(R20); \
	UNPACK(R20); \
	FMA8(V6, V7); \
	SUBS    $1, R11; \
	BNE     block; \
	ENDCHUNK; \
	CBNZ    R10, chunk; \
	FMOVQ.P F16, 16(R0); \
	SUBS    $4, R7; \
	BNE     rows; \
	RET

// MUL2 multiplies two rows of A with two of W at a time: besides unpacking, 54
// instructions for two blocks.
#define MUL2(UNPACK) \
	LOADARGS; \
rows: \
	NEXTROW(R16); \
	NEXTROW(R17); \
	MOVD  R2, R12; \
	ADD   R3, R12, R13; \
	STARTROWS; \
chunk: \
	STARTCHUNK; \
block: \
	AHEAD(R16); \
	UNPACK(R16); \
	STEP(0, R12, V20, V21, V0, V1); \
	STEP(0, R13, V20, V21, V4, V5); \
	STEP(32, R12, V22, V23, V0, V1); \
	STEP(32, R13, V22, V23, V4, V5); \
	STEP(64, R12, V24, V25, V0, V1); \
	STEP(64, R13, V24, V25, V4, V5); \
	STEP(96, R12, V26, V27, V0, V1); \
	STEP(96, R13, V26, V27, V4, V5); \
	AHEAD(R17); \
	UNPACK(R17); \
	STEP(0, R12, V20, V21, V2, V3); \
	STEP(0, R13, V20, V21, V6, V7); \
	STEP(32, R12, V22, V23, V2, V3); \
	STEP(32, R13, V22, V23, V6, V7); \
	STEP(64, R12, V24, V25, V2, V3); \
	STEP(64, R13, V24, V25, V6, V7); \
	STEP(96, R12, V26, V27, V2, V3); \
	STEP(96, R13, V26, V27, V6, V7); \
	ADD   $128, R12; \
	ADD   $128, R13; \
	SUBS  $1, R11; \
	BNE   block; \
	ENDCHUNK; \
	CBNZ  R10, chunk; \
	FMOVD F16, (R0); \
	ADD   R1, R0, R21; \
	VST1  V16.D[1], (R21); \
	ADD   $8, R0; \
	SUBS  $2, R7; \
	BNE   rows; \
	RET

// MUL3 multiplies three rows of A with one of W at a time: besides unpacking, 42
// instructions for a block.
#define MUL3(UNPACK) \
	LOADARGS; \
rows: \
	NEXTROW(R16); \
	MOVD  R2, R12; \
	ADD   R3, R12, R13; \
	ADD   R3, R13, R14; \
	STARTROWS; \
chunk: \
	STARTCHUNK; \
block: \
	AHEAD(R16); \
	UNPACK(R16); \
	STEP(0, R12, V20, V21, V0, V1); \
	STEP(0, R13, V20, V21, V2, V3); \
	STEP(0, R14, V20, V21, V4, V5); \
	STEP(32, R12, V22, V23, V0, V1); \
	STEP(32, R13, V22, V23, V2, V3); \
	STEP(32, R14, V22, V23, V4, V5); \
	STEP(64, R12, V24, V25, V0, V1); \
	STEP(64, R13, V24, V25, V2, V3); \
	STEP(64, R14, V24, V25, V4, V5); \
	STEP(96, R12, V26, V27, V0, V1); \
	STEP(96, R13, V26, V27, V2, V3); \
	STEP(96, R14, V26, V27, V4, V5); \
	ADD   $128, R12; \
	ADD   $128, R13; \
	ADD   $128, R14; \
	SUBS  $1, R11; \
	BNE   block; \
	ENDCHUNK; \
	CBNZ  R10, chunk; \
	MOVD  R0, R21; \
	VST1  V16.S[0], (R21); \
	ADD   R1, R21; \
	VST1  V16.S[1], (R21); \
	ADD   R1, R21; \
	VST1  V16.S[2], (R21); \
	ADD   $4, R0; \
	SUBS  $1, R7; \
	BNE   rows; \
	RET

// MUL4 multiplies four rows of A with one of W at a time: besides unpacking, 55
// instructions for a block.
#define MUL4(UNPACK) \
	LOADARGS; \
rows: \
	NEXTROW(R16); \
	MOVD  R2, R12; \
	ADD   R3, R12, R13; \
	ADD   R3, R13, R14; \
	ADD   R3, R14, R15; \
	STARTROWS; \
chunk: \
	STARTCHUNK; \
block: \
	AHEAD(R16); \
	UNPACK(R16); \
	STEP(0, R12, V20, V21, V0, V1); \
	STEP(0, R13, V20, V21, V2, V3); \
	STEP(0, R14, V20, V21, V4, V5); \
	STEP(0, R15, V20, V21, V6, V7); \
	STEP(32, R12, V22, V23, V0, V1); \
	STEP(32, R13, V22, V23, V2, V3); \
	STEP(32, R14, V22, V23, V4, V5); \
	STEP(32, R15, V22, V23, V6, V7); \
	STEP(64, R12, V24, V25, V0, V1); \
	STEP(64, R13, V24, V25, V2, V3); \
	STEP(64, R14, V24, V25, V4, V5); \
	STEP(64, R15, V24, V25, V6, V7); \
	STEP(96, R12, V26, V27, V0, V1); \
	STEP(96, R13, V26, V27, V2, V3); \
	STEP(96, R14, V26, V27, V4, V5); \
	STEP(96, R15, V26, V27, V6, V7); \
	ADD   $128, R12; \
	ADD   $128, R13; \
	ADD   $128, R14; \
	ADD   $128, R15; \
	SUBS  $1, R11; \
	BNE   block; \
	ENDCHUNK; \
	CBNZ  R10, chunk; \
	MOVD  R0, R21; \
	VST1  V16.S[0], (R21); \
	ADD   R1, R21; \
	VST1  V16.S[1], (R21); \
	ADD   R1, R21; \
	VST1  V16.S[2], (R21); \
	ADD   R1, R21; \
	VST1  V16.S[3], (R21); \
	ADD   $4, R0; \
	SUBS  $1, R7; \
	BNE   rows; \
	RET

// func neonWidenQ4_1(dst *float32, src *byte, blocks int)
TEXT ·neonWidenQ4_1(SB), NOSPLIT, $0-24
	SPREAD
	WIDEN(UNPACK_Q4_1)

// func neonWidenQ4_0(dst *float32, src *byte, blocks int)
TEXT ·neonWidenQ4_0(SB), NOSPLIT, $0-24
	SPREAD
	WIDEN(UNPACK_Q4_0)

// func neonWidenQ8_0(dst *float32, src *byte, blocks int)
TEXT ·neonWidenQ8_0(SB), NOSPLIT, $0-24
	SPREAD
	WIDEN(UNPACK_Q8_0)

// func neonWidenF16(dst *float32, src *byte, blocks int)
TEXT ·neonWidenF16(SB), NOSPLIT, $0-24
	WIDEN(UNPACK_F16)

// func neonWidenBF16(dst *float32, src *byte, blocks int)
TEXT ·neonWidenBF16(SB), NOSPLIT, $0-24
	ZERO28
	WIDEN(UNPACK_BF16)

// func neonMulQ4_1_1(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)
TEXT ·neonMulQ4_1_1(SB), NOSPLIT, $16-80
	SPREAD
	MUL1(UNPACK_Q4_1)

// func neonMulQ4_1_2(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)
TEXT ·neonMulQ4_1_2(SB), NOSPLIT, $16-80
	SPREAD
	MUL2(UNPACK_Q4_1)

// func neonMulQ4_1_3(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)
TEXT ·neonMulQ4_1_3(SB), NOSPLIT, $16-80
	SPREAD
	MUL3(UNPACK_Q4_1)

// func neonMulQ4_1_4(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)
TEXT ·neonMulQ4_1_4(SB), NOSPLIT, $16-80
	SPREAD
	MUL4(UNPACK_Q4_1)

// func neonMulQ4_0_1(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)
TEXT ·neonMulQ4_0_1(SB), NOSPLIT, $16-80
	SPREAD
	MUL1(UNPACK_Q4_0)

// func neonMulQ4_0_2(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)
TEXT ·neonMulQ4_0_2(SB), NOSPLIT, $16-80
	SPREAD
	MUL2(UNPACK_Q4_0)

// func neonMulQ4_0_3(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)
TEXT ·neonMulQ4_0_3(SB), NOSPLIT, $16-80
	SPREAD
	MUL3(UNPACK_Q4_0)

// func neonMulQ4_0_4(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)
TEXT ·neonMulQ4_0_4(SB), NOSPLIT, $16-80
	SPREAD
	MUL4(UNPACK_Q4_0)

// func neonMulQ8_0_1(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)
TEXT ·neonMulQ8_0_1(SB), NOSPLIT, $16-80
	SPREAD
	MUL1(UNPACK_Q8_0)

// func neonMulQ8_0_2(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)
TEXT ·neonMulQ8_0_2(SB), NOSPLIT, $16-80
	SPREAD
	MUL2(UNPACK_Q8_0)

// func neonMulQ8_0_3(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)
TEXT ·neonMulQ8_0_3(SB), NOSPLIT, $16-80
	SPREAD
	MUL3(UNPACK_Q8_0)

// func neonMulQ8_0_4(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)
TEXT ·neonMulQ8_0_4(SB), NOSPLIT, $16-80
	SPREAD
	MUL4(UNPACK_Q8_0)

// func neonMulF16_1(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)
TEXT ·neonMulF16_1(SB), NOSPLIT, $16-80
	MUL1(UNPACK_F16)

// func neonMulF16_2(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)
TEXT ·neonMulF16_2(SB), NOSPLIT, $16-80
	MUL2(UNPACK_F16)

// func neonMulF16_3(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)
TEXT ·neonMulF16_3(SB), NOSPLIT, $16-80
	MUL3(UNPACK_F16)

// func neonMulF16_4(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)
TEXT ·neonMulF16_4(SB), NOSPLIT, $16-80
	MUL4(UNPACK_F16)

// func neonMulBF16_1(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)
TEXT ·neonMulBF16_1(SB), NOSPLIT, $16-80
	ZERO28
	MUL1(UNPACK_BF16)

// func neonMulBF16_2(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)
TEXT ·neonMulBF16_2(SB), NOSPLIT, $16-80
	ZERO28
	MUL2(UNPACK_BF16)

// func neonMulBF16_3(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)
TEXT ·neonMulBF16_3(SB), NOSPLIT, $16-80
	ZERO28
	MUL3(UNPACK_BF16)

// func neonMulBF16_4(c *float32, ldc int, a *float32, lda int, w *byte, rowBytes int, order *int32, n, blocks, chunk int)
TEXT ·neonMulBF16_4(SB), NOSPLIT, $16-80
	ZERO28
	MUL4(UNPACK_BF16)
