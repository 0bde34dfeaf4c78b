//go:build !purego

package kernel

var avx2Integers = integerLoops{
	group: 8, counts: []int{1, 2, 3, 4}, turned: &avx2Turned,
	rows: [numIntegers][numDTypes][]integerLoop{
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
	},
	interleaved: [numDTypes][]integerLoop{
		Q4_0: {avx2InterleavedQ4_0x1, avx2InterleavedQ4_0x2, avx2InterleavedQ4_0x3, avx2InterleavedQ4_0x4},
		Q4_1: {avx2InterleavedQ4_1x1, avx2InterleavedQ4_1x2, avx2InterleavedQ4_1x3, avx2InterleavedQ4_1x4},
		Q8_0: {avx2InterleavedQ8_0x1, avx2InterleavedQ8_0x2, avx2InterleavedQ8_0x3, avx2InterleavedQ8_0x4},
		Q5_0: {avx2InterleavedQ5_0x1, avx2InterleavedQ5_0x2, avx2InterleavedQ5_0x3, avx2InterleavedQ5_0x4},
		Q4_K: {avx2InterleavedQ4_Kx1, avx2InterleavedQ4_Kx2, avx2InterleavedQ4_Kx3, avx2InterleavedQ4_Kx4},
		Q6_K: {avx2InterleavedQ6_Kx1, avx2InterleavedQ6_Kx2, avx2InterleavedQ6_Kx3, avx2InterleavedQ6_Kx4},
	},
}

var avxvnniIntegers = integerLoops{
	group: 8, counts: []int{1, 2, 3, 4}, turned: &avxvnniTurned,
	rows: [numIntegers][numDTypes][]integerLoop{
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
	},
	interleaved: [numDTypes][]integerLoop{
		Q4_0: {avxvnniInterleavedQ4_0x1, avxvnniInterleavedQ4_0x2, avxvnniInterleavedQ4_0x3, avxvnniInterleavedQ4_0x4},
		Q4_1: {avxvnniInterleavedQ4_1x1, avxvnniInterleavedQ4_1x2, avxvnniInterleavedQ4_1x3, avxvnniInterleavedQ4_1x4},
		Q8_0: {avxvnniInterleavedQ8_0x1, avxvnniInterleavedQ8_0x2, avxvnniInterleavedQ8_0x3, avxvnniInterleavedQ8_0x4},
		Q5_0: {avxvnniInterleavedQ5_0x1, avxvnniInterleavedQ5_0x2, avxvnniInterleavedQ5_0x3, avxvnniInterleavedQ5_0x4},
		Q4_K: {avxvnniInterleavedQ4_Kx1, avxvnniInterleavedQ4_Kx2, avxvnniInterleavedQ4_Kx3, avxvnniInterleavedQ4_Kx4},
		Q6_K: {avxvnniInterleavedQ6_Kx1, avxvnniInterleavedQ6_Kx2, avxvnniInterleavedQ6_Kx3, avxvnniInterleavedQ6_Kx4},
	},
}

var avx512Integers = integerLoops{
	group: 16, counts: []int{1, 2, 3, 4, 8}, turned: &avx512Turned,
	rows: [numIntegers][numDTypes][]integerLoop{
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
	},
	interleaved: [numDTypes][]integerLoop{
		Q4_0: {avx512InterleavedQ4_0x1, avx512InterleavedQ4_0x2, avx512InterleavedQ4_0x3, avx512InterleavedQ4_0x4, avx512InterleavedQ4_0x8},
		Q4_1: {avx512InterleavedQ4_1x1, avx512InterleavedQ4_1x2, avx512InterleavedQ4_1x3, avx512InterleavedQ4_1x4, avx512InterleavedQ4_1x8},
		Q8_0: {avx512InterleavedQ8_0x1, avx512InterleavedQ8_0x2, avx512InterleavedQ8_0x3, avx512InterleavedQ8_0x4, avx512InterleavedQ8_0x8},
		Q5_0: {avx512InterleavedQ5_0x1, avx512InterleavedQ5_0x2, avx512InterleavedQ5_0x3, avx512InterleavedQ5_0x4, avx512InterleavedQ5_0x8},
		Q4_K: {avx512InterleavedQ4_Kx1, avx512InterleavedQ4_Kx2, avx512InterleavedQ4_Kx3, avx512InterleavedQ4_Kx4, avx512InterleavedQ4_Kx8},
		Q6_K: {avx512InterleavedQ6_Kx1, avx512InterleavedQ6_Kx2, avx512InterleavedQ6_Kx3, avx512InterleavedQ6_Kx4, avx512InterleavedQ6_Kx8},
	},
}

var avx2Turned = turnedLoops{
	group: 8, many: 8, turn: avx2Turn, interleave: avx2Interleave, turnInterleaved: avx2TurnInterleaved, counts: []int{1, 2, 3, 4},
	loops: [3][]turnedLoop{
		plainScale:  {avx2TurnedPlainx1, avx2TurnedPlainx2, avx2TurnedPlainx3, avx2TurnedPlainx4},
		leastWeight: {avx2TurnedLeastx1, avx2TurnedLeastx2, avx2TurnedLeastx3, avx2TurnedLeastx4},
		halfScales:  {avx2TurnedHalvesx1, avx2TurnedHalvesx2, avx2TurnedHalvesx3, avx2TurnedHalvesx4},
	},
	pair:     [3]turnedLoop{plainScale: avx2TurnedPlainPair, leastWeight: avx2TurnedLeastPair, halfScales: avx2TurnedHalvesPair},
	pairRows: 3,
}

var avxvnniTurned = turnedLoops{group: 8, many: 8, turn: avx2Turn, interleave: avx2Interleave, turnInterleaved: avx2TurnInterleaved, counts: []int{1, 2, 3, 4}, loops: [3][]turnedLoop{
	plainScale:  {avxvnniTurnedPlainx1, avxvnniTurnedPlainx2, avxvnniTurnedPlainx3, avxvnniTurnedPlainx4},
	leastWeight: {avxvnniTurnedLeastx1, avxvnniTurnedLeastx2, avxvnniTurnedLeastx3, avxvnniTurnedLeastx4},
	halfScales:  {avxvnniTurnedHalvesx1, avxvnniTurnedHalvesx2, avxvnniTurnedHalvesx3, avxvnniTurnedHalvesx4},
}}

var avx512Turned = turnedLoops{group: 16, many: 17, turn: avx512Turn, interleave: avx512Interleave, turnInterleaved: avx512TurnInterleaved, counts: []int{1, 2, 3, 4, 8}, loops: [3][]turnedLoop{
	plainScale:  {avx512TurnedPlainx1, avx512TurnedPlainx2, avx512TurnedPlainx3, avx512TurnedPlainx4, avx512TurnedPlainx8},
	leastWeight: {avx512TurnedLeastx1, avx512TurnedLeastx2, avx512TurnedLeastx3, avx512TurnedLeastx4, avx512TurnedLeastx8},
	halfScales:  {avx512TurnedHalvesx1, avx512TurnedHalvesx2, avx512TurnedHalvesx3, avx512TurnedHalvesx4, avx512TurnedHalvesx8},
}}

var avx2Interleave = [numDTypes]turnLoop{
	Q4_0: avx2InterleaveQ4_0,
	Q4_1: avx2InterleaveQ4_1,
	Q8_0: avx2InterleaveQ8_0,
}

var avx2TurnInterleaved = [numDTypes]turnLoop{
	Q4_0: avx2TurnInterleavedQ4_0,
	Q4_1: avx2TurnInterleavedQ4_1,
	Q8_0: avx2TurnInterleavedQ8_0,
}

var avx2Turn = [numDTypes]turnLoop{
	Q4_0: avx2TurnQ4_0,
	Q4_1: avx2TurnQ4_1,
	Q5_0: avx2TurnQ5_0,
	Q5_1: avx2TurnQ5_1,
	Q8_0: avx2TurnQ8_0,
	Q4_K: avx2TurnQ4_K,
	Q5_K: avx2TurnQ5_K,
	Q6_K: avx2TurnQ6_K,
}

var avx512Interleave = [numDTypes]turnLoop{
	Q4_0: avx512InterleaveQ4_0,
	Q4_1: avx512InterleaveQ4_1,
	Q8_0: avx512InterleaveQ8_0,
}

var avx512TurnInterleaved = [numDTypes]turnLoop{
	Q4_0: avx512TurnInterleavedQ4_0,
	Q4_1: avx512TurnInterleavedQ4_1,
	Q8_0: avx512TurnInterleavedQ8_0,
}

var avx512Turn = [numDTypes]turnLoop{
	Q4_0: avx512TurnQ4_0,
	Q4_1: avx512TurnQ4_1,
	Q5_0: avx512TurnQ5_0,
	Q5_1: avx512TurnQ5_1,
	Q8_0: avx512TurnQ8_0,
	Q4_K: avx512TurnQ4_K,
	Q5_K: avx512TurnQ5_K,
	Q6_K: avx512TurnQ6_K,
}
