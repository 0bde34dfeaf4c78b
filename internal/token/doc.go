// Package token turns text into the numbers that a model reads, and back.
//
// A [Tokenizer] is made from a [Vocab], which [VocabFromGGUF] fills from the
// metadata of a GGUF file and [VocabFromJSON] from the tokenizer.json of a
// Hugging Face folder. Two families are known:
//
//   - byte-level BPE (GGUF's model "gpt2"): text is cut into words by a
//     pre-tokenizer, each word into bytes, and bytes are merged by rank. Every
//     string of bytes can be encoded, and comes back as it was.
//   - BPE over characters with byte fall-back (GGUF's model "llama",
//     SentencePiece): spaces become ▁, characters are merged by score or by
//     rank, and what the vocabulary lacks is spelled in bytes.
//
// The ids are those of the libraries that made the models: llama.cpp's
// vectors and the tokenizers library are the references that the tests
// compare with.
//
// A [Template] is a chat template, run by the small interpreter in the
// package jinja below this one, with the variables that transformers gives.
//
// Nothing here reads files or knows of models: bytes come in from the caller.
package token
