// Package kernel holds the loops under everything numeric: matrix products,
// the operations of a transformer on plain float32 slices, the widening of
// quantized weights, and the worker pool of the process.
//
// Every operation has a plain Go reference. Beside it stand register variants
// (kinds) in assembly, chosen at run time by what the CPU has and forced by the
// environment variable STROKE_KERNEL. A kind is one table of function values;
// all kinds pass the same tests.
//
// # Letters and layouts
//
// Matrices are row-major slices with a leading dimension: element (i,j) of c is
// c[i*ldc+j]. m, n and k are as in BLAS: C is [m,n] and k is summed over. A
// quantized matrix W is its rows one after the other, each RowBytes(cols) long;
// an order slice, where given, says in which stored row a logical row lies.
//
// # Exactness
//
// The result of an element depends on its own inputs alone, in bits: not on how
// many rows or columns a call has, on where the element stands in a tile, on
// how the caller cuts the work, or on the number of workers. For that every
// reduction has a fixed tree. MulNT, MulNTQ and MulQ share one that depends on
// k only (see MulNT); AddNN and AddTN start from C and add one product after the
// other, so that k too can be cut anywhere. Bits may differ between kinds: where
// the hardware fuses multiply and add, kinds use it. The kinds avx2 and neon have
// the same bits.
//
// Nothing allocates after the first call. Only Run starts or uses goroutines;
// every other function works in its caller. Shape mismatches are bugs and panic,
// naming both shapes.
package kernel
