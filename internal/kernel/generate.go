package kernel

//go:generate go -C _asm run ./gemm -out ../avx2_gemm_amd64.s -stubs ../avx2_gemm_stubs_amd64.go -pkg kernel
//go:generate go -C _asm run ./quant -out ../avx2_quant_amd64.s -stubs ../avx2_quant_stubs_amd64.go -pkg kernel
//go:generate go -C _asm run ./vec -out ../avx2_vec_amd64.s -stubs ../avx2_vec_stubs_amd64.go -pkg kernel
//go:generate go -C _asm run ./wide -out ../avx512_amd64.s -stubs ../avx512_stubs_amd64.go -pkg kernel
//go:generate go -C _asm run ./amx -dir ..
//go:generate go -C _asm run ./integers -out ../integers_amd64.s -stubs ../integers_stubs_amd64.go -pkg kernel
