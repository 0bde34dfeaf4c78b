// Vector instructions by the numbers of their registers, sources first: the last
// one named is written. Go's assembler does not know most of them; the others
// stand here so that a macro can take them with the rest. Each is its opcode of
// the Arm Architecture Reference Manual with the registers in their fields.

// FADD Vd.4S, Vn.4S, Vm.4S: d = n + m
#define FADD4(m, n, d) WORD $(0x4E20D400 | (m)<<16 | (n)<<5 | (d))
// FSUB Vd.4S, Vn.4S, Vm.4S: d = n - m
#define FSUB4(m, n, d) WORD $(0x4EA0D400 | (m)<<16 | (n)<<5 | (d))
// FMUL Vd.4S, Vn.4S, Vm.4S: d = n * m
#define FMUL4(m, n, d) WORD $(0x6E20DC00 | (m)<<16 | (n)<<5 | (d))
// FDIV Vd.4S, Vn.4S, Vm.4S: d = n / m
#define FDIV4(m, n, d) WORD $(0x6E20FC00 | (m)<<16 | (n)<<5 | (d))
// FMIN Vd.4S, Vn.4S, Vm.4S; a NaN in either wins
#define FMIN4(m, n, d) WORD $(0x4EA0F400 | (m)<<16 | (n)<<5 | (d))
// FMAX Vd.4S, Vn.4S, Vm.4S; a NaN in either wins
#define FMAX4(m, n, d) WORD $(0x4E20F400 | (m)<<16 | (n)<<5 | (d))
// FCMGT Vd.4S, Vn.4S, Vm.4S: d = all ones where n > m
#define FCMGT4(m, n, d) WORD $(0x6EA0E400 | (m)<<16 | (n)<<5 | (d))
// FADDP Vd.4S, Vn.4S, Vm.4S: d = n0+n1, n2+n3, m0+m1, m2+m3
#define FADDP4(m, n, d) WORD $(0x6E20D400 | (m)<<16 | (n)<<5 | (d))
// FADDP Vd.2D, Vn.2D, Vm.2D: d = n0+n1, m0+m1
#define FADDP2D(m, n, d) WORD $(0x6E60D400 | (m)<<16 | (n)<<5 | (d))
// FADDP Dd, Vn.2D: d = n0+n1
#define FADDPD(n, d) WORD $(0x7E70D800 | (n)<<5 | (d))
// FMLA Vd.4S, Vn.4S, Vm.4S: d += n * m
#define FMLA4(m, n, d) WORD $(0x4E20CC00 | (m)<<16 | (n)<<5 | (d))
// FMLS Vd.4S, Vn.4S, Vm.4S: d -= n * m
#define FMLS4(m, n, d) WORD $(0x4EA0CC00 | (m)<<16 | (n)<<5 | (d))
// FMLA Vd.2D, Vn.2D, Vm.2D: d += n * m
#define FMLA2D(m, n, d) WORD $(0x4E60CC00 | (m)<<16 | (n)<<5 | (d))
// MOV Vd.16B, Vn.16B
#define MOV16(n, d) WORD $(0x4EA01C00 | (n)<<16 | (n)<<5 | (d))
// ADD Vd.4S, Vn.4S, Vm.4S
#define ADD4(m, n, d) WORD $(0x4EA08400 | (m)<<16 | (n)<<5 | (d))
// SUB Vd.4S, Vn.4S, Vm.4S: d = n - m
#define SUB4(m, n, d) WORD $(0x6EA08400 | (m)<<16 | (n)<<5 | (d))
// SHL Vd.4S, Vn.4S, #s
#define SHL4(s, n, d) WORD $(0x4F005400 | (32+(s))<<16 | (n)<<5 | (d))
// BIT Vd.16B, Vn.16B, Vm.16B: bits of n where m has ones
#define BIT16(m, n, d) WORD $(0x6EA01C00 | (m)<<16 | (n)<<5 | (d))
// FMLA Vd.4S, Vn.4S, Vm.S[i]: d += n * m[i]
#define FMLA4E(m, i, n, d) WORD $(0x4F801000 | ((i)&1)<<21 | ((i)>>1)<<11 | (m)<<16 | (n)<<5 | (d))
// FMLS Vd.4S, Vn.4S, Vm.S[i]: d -= n * m[i]
#define FMLS4E(m, i, n, d) WORD $(0x4F805000 | ((i)&1)<<21 | ((i)>>1)<<11 | (m)<<16 | (n)<<5 | (d))
// FMUL Vd.4S, Vn.4S, Vm.S[i]: d = n * m[i]
#define FMUL4E(m, i, n, d) WORD $(0x4F809000 | ((i)&1)<<21 | ((i)>>1)<<11 | (m)<<16 | (n)<<5 | (d))
// FNEG Vd.4S, Vn.4S
#define FNEG4(n, d) WORD $(0x6EA0F800 | (n)<<5 | (d))
// FSQRT Vd.4S, Vn.4S
#define FSQRT4(n, d) WORD $(0x6EA1F800 | (n)<<5 | (d))
// FRINTN Vd.4S, Vn.4S: to the nearest integer, ties to even
#define FRINTN4(n, d) WORD $(0x4E218800 | (n)<<5 | (d))
// FCVTZS Vd.4S, Vn.4S: to int32
#define FCVTZS4(n, d) WORD $(0x4EA1B800 | (n)<<5 | (d))
// SSHR Vd.16B, Vn.16B, #s: arithmetic shift right
#define SSHR16(s, n, d) WORD $(0x4F000400 | (16-(s))<<16 | (n)<<5 | (d))
// SSHR Vd.4S, Vn.4S, #s
#define SSHR4(s, n, d) WORD $(0x4F000400 | (64-(s))<<16 | (n)<<5 | (d))
// SCVTF Vd.4S, Vn.4S, #f: from int32, over 2^f
#define SCVTF4(f, n, d) WORD $(0x4F00E400 | (64-(f))<<16 | (n)<<5 | (d))
// UCVTF Vd.4S, Vn.4S, #f: from uint32, over 2^f
#define UCVTF4(f, n, d) WORD $(0x6F00E400 | (64-(f))<<16 | (n)<<5 | (d))
// FCVTL Vd.4S, Vn.4H: the lower four binary16 widened
#define FCVTLH(n, d) WORD $(0x0E217800 | (n)<<5 | (d))
// FCVTL2 Vd.4S, Vn.8H: the upper four
#define FCVTL2H(n, d) WORD $(0x4E217800 | (n)<<5 | (d))
// FCVTL Vd.2D, Vn.2S: the lower two binary32 widened
#define FCVTLS(n, d) WORD $(0x0E617800 | (n)<<5 | (d))
// FCVTL2 Vd.2D, Vn.4S: the upper two
#define FCVTL2S(n, d) WORD $(0x4E617800 | (n)<<5 | (d))
// FCVTN Vd.4H, Vn.4S: rounded to binary16, into the lower half
#define FCVTNS(n, d) WORD $(0x0E216800 | (n)<<5 | (d))
// FCVTN2 Vd.8H, Vn.4S: into the upper half
#define FCVTN2S(n, d) WORD $(0x4E216800 | (n)<<5 | (d))

// SUM4 puts into d the sums of four chains of eight lanes each, ((l0+l1)+(l2+l3))
// + ((l4+l5)+(l6+l7)), with lanes 0 to 3 in a and 4 to 7 in b. All of them are lost.
#define SUM4(a0, b0, a1, b1, a2, b2, a3, b3, d) \
	FADDP4(b0, a0, a0); \
	FADDP4(b1, a1, a1); \
	FADDP4(b2, a2, a2); \
	FADDP4(b3, a3, a3); \
	FADDP4(a1, a0, a0); \
	FADDP4(a3, a2, a2); \
	FADDP4(a2, a0, d)
