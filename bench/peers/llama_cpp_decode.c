// Speed of llama.cpp's own library with its code for this very processor, with
// nothing around it: the libraries that node-llama-cpp brings, and the headers of
// llama-cpp-python's source. One JSON line: tokens per second, the best of five
// rounds, of 64 tokens one by one and of a prompt of 512.
//
//     gcc -O2 -I HEADERS llama_cpp_decode.c -o llama_cpp_decode LIBS/libllama.* LIBS/libggml.* LIBS/libggml-base.so -Wl,-rpath,LIBS
//     ./llama_cpp_decode FILE.gguf LIBS
#include <stdio.h>
#include <time.h>

#include "llama.h"

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

int main(int argc, char **argv) {
	if (argc != 3) {
		fprintf(stderr, "name a GGUF file and the folder of llama.cpp's libraries\n");
		return 2;
	}
	ggml_backend_load_all_from_path(argv[2]);
	llama_backend_init();
	struct llama_model_params mp = llama_model_default_params();
	mp.n_gpu_layers = 0;
	struct llama_model *model = llama_model_load_from_file(argv[1], mp);
	if (!model) return 1;
	struct llama_context_params cp = llama_context_default_params();
	cp.n_ctx = 1024;
	cp.n_batch = cp.n_ubatch = 512;
	cp.n_threads = cp.n_threads_batch = 2;
	struct llama_context *ctx = llama_init_from_model(model, cp);
	if (!ctx) return 1;
	double decode = 0, prefill = 0;
	for (int round = 0; round < 6; round++) { // the first warms up
		llama_memory_clear(llama_get_memory(ctx), true);
		llama_token id = 1000 + round;
		double begin = 0;
		for (int i = 0; i <= 64; i++) {
			if (i == 1) begin = now();
			if (llama_decode(ctx, llama_batch_get_one(&id, 1))) return 1;
			llama_synchronize(ctx);
			id = 1000 + (i * 7919 + round) % 40000;
		}
		double rate = 64 / (now() - begin);
		if (round > 0 && rate > decode) decode = rate;
		llama_memory_clear(llama_get_memory(ctx), true);
		llama_token ids[512];
		for (int i = 0; i < 512; i++) ids[i] = 1000 + (i * 7919 + round * 104729) % 40000;
		begin = now();
		if (llama_decode(ctx, llama_batch_get_one(ids, 512))) return 1;
		llama_synchronize(ctx);
		rate = 512 / (now() - begin);
		if (round > 0 && rate > prefill) prefill = rate;
	}
	printf("{\"peer\":\"llama.cpp\",\"file\":\"%s\",\"threads\":2,\"decode_64\":%.1f,\"prefill_512\":%.1f,\"system\":\"%s\"}\n", argv[1], decode, prefill, llama_print_system_info());
	return 0;
}
