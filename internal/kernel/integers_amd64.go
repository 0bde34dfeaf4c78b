//go:build !purego

package kernel

var avx2Integers = integerLoops{8, []int{1, 2, 3, 4}, [numIntegers][numDTypes][]integerLoop{
	Int8: {
		Q4_0: {avx2Int8Q4_0x1, avx2Int8Q4_0x2, avx2Int8Q4_0x3, avx2Int8Q4_0x4},
		Q4_1: {avx2Int8Q4_1x1, avx2Int8Q4_1x2, avx2Int8Q4_1x3, avx2Int8Q4_1x4},
		Q8_0: {avx2Int8Q8_0x1, avx2Int8Q8_0x2, avx2Int8Q8_0x3, avx2Int8Q8_0x4},
	},
	Int16: {
		Q4_0: {avx2Int16Q4_0x1, avx2Int16Q4_0x2, avx2Int16Q4_0x3, avx2Int16Q4_0x4},
		Q4_1: {avx2Int16Q4_1x1, avx2Int16Q4_1x2, avx2Int16Q4_1x3, avx2Int16Q4_1x4},
		Q8_0: {avx2Int16Q8_0x1, avx2Int16Q8_0x2, avx2Int16Q8_0x3, avx2Int16Q8_0x4},
	},
}}

var avxvnniIntegers = integerLoops{8, []int{1, 2, 3, 4}, [numIntegers][numDTypes][]integerLoop{
	Int8: {
		Q4_0: {avxvnniInt8Q4_0x1, avxvnniInt8Q4_0x2, avxvnniInt8Q4_0x3, avxvnniInt8Q4_0x4},
		Q4_1: {avxvnniInt8Q4_1x1, avxvnniInt8Q4_1x2, avxvnniInt8Q4_1x3, avxvnniInt8Q4_1x4},
		Q8_0: {avxvnniInt8Q8_0x1, avxvnniInt8Q8_0x2, avxvnniInt8Q8_0x3, avxvnniInt8Q8_0x4},
	},
	Int16: {
		Q4_0: {avxvnniInt16Q4_0x1, avxvnniInt16Q4_0x2, avxvnniInt16Q4_0x3, avxvnniInt16Q4_0x4},
		Q4_1: {avxvnniInt16Q4_1x1, avxvnniInt16Q4_1x2, avxvnniInt16Q4_1x3, avxvnniInt16Q4_1x4},
		Q8_0: {avxvnniInt16Q8_0x1, avxvnniInt16Q8_0x2, avxvnniInt16Q8_0x3, avxvnniInt16Q8_0x4},
	},
}}

var avx512Integers = integerLoops{16, []int{1, 2, 3, 4, 8}, [numIntegers][numDTypes][]integerLoop{
	Int8: {
		Q4_0: {avx512Int8Q4_0x1, avx512Int8Q4_0x2, avx512Int8Q4_0x3, avx512Int8Q4_0x4, avx512Int8Q4_0x8},
		Q4_1: {avx512Int8Q4_1x1, avx512Int8Q4_1x2, avx512Int8Q4_1x3, avx512Int8Q4_1x4, avx512Int8Q4_1x8},
		Q8_0: {avx512Int8Q8_0x1, avx512Int8Q8_0x2, avx512Int8Q8_0x3, avx512Int8Q8_0x4, avx512Int8Q8_0x8},
	},
	Int16: {
		Q4_0: {avx512Int16Q4_0x1, avx512Int16Q4_0x2, avx512Int16Q4_0x3, avx512Int16Q4_0x4, avx512Int16Q4_0x8},
		Q4_1: {avx512Int16Q4_1x1, avx512Int16Q4_1x2, avx512Int16Q4_1x3, avx512Int16Q4_1x4, avx512Int16Q4_1x8},
		Q8_0: {avx512Int16Q8_0x1, avx512Int16Q8_0x2, avx512Int16Q8_0x3, avx512Int16Q8_0x4, avx512Int16Q8_0x8},
	},
}}
