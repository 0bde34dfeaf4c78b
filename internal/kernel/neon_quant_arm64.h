// What the loops over quantized weights share: 32 weights in V20 to V27, their
// small integers as bytes in V16 and V17. In V28 to V31 are indices that TBL
// spreads 16 bytes over the tops of 16 words with, from where SCVTF or UCVTF takes
// them as fractions of 2^32.

// SPREAD loads the indices: of byte i in the top of word i, zero in the others.
#define SPREAD \
	MOVD  $·neonSpread(SB), R21; \
	FLDPQ (R21), (F28, F29); \
	FLDPQ 32(R21), (F30, F31)

// TOPS spreads the bytes of V16 over V20 to V23 and those of V17 over V24 to V27.
#define TOPS \
	VTBL V28.B16, [V16.B16], V20.B16; \
	VTBL V29.B16, [V16.B16], V21.B16; \
	VTBL V30.B16, [V16.B16], V22.B16; \
	VTBL V31.B16, [V16.B16], V23.B16; \
	VTBL V28.B16, [V17.B16], V24.B16; \
	VTBL V29.B16, [V17.B16], V25.B16; \
	VTBL V30.B16, [V17.B16], V26.B16; \
	VTBL V31.B16, [V17.B16], V27.B16

// TIMES multiplies all weights by the scale in element 0 of V18.
#define TIMES \
	FMUL4E(18, 0, 20, 20); \
	FMUL4E(18, 0, 21, 21); \
	FMUL4E(18, 0, 22, 22); \
	FMUL4E(18, 0, 23, 23); \
	FMUL4E(18, 0, 24, 24); \
	FMUL4E(18, 0, 25, 25); \
	FMUL4E(18, 0, 26, 26); \
	FMUL4E(18, 0, 27, 27)

// PLUS adds V19 to all weights. Their products with the scale were exact, so that
// the sums have the bits of a fused multiply-add.
#define PLUS \
	FADD4(19, 20, 20); \
	FADD4(19, 21, 21); \
	FADD4(19, 22, 22); \
	FADD4(19, 23, 23); \
	FADD4(19, 24, 24); \
	FADD4(19, 25, 25); \
	FADD4(19, 26, 26); \
	FADD4(19, 27, 27)

// FRACTIONS makes floats of V20 to V23 times 2^-lo and of V24 to V27 times 2^-hi;
// CVT is SCVTF4 or UCVTF4.
#define FRACTIONS(CVT, lo, hi) \
	CVT(lo, 20, 20); \
	CVT(lo, 21, 21); \
	CVT(lo, 22, 22); \
	CVT(lo, 23, 23); \
	CVT(hi, 24, 24); \
	CVT(hi, 25, 25); \
	CVT(hi, 26, 26); \
	CVT(hi, 27, 27)

// STORE32 writes the weights to R0 and moves on.
#define STORE32 \
	FSTPQ.P (F20, F21), 32(R0); \
	FSTPQ.P (F22, F23), 32(R0); \
	FSTPQ.P (F24, F25), 32(R0); \
	FSTPQ.P (F26, F27), 32(R0)
