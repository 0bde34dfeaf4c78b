// Package all makes every architecture known to package model.
package all

import (
	_ "github.com/getstroke/stroke/internal/model/gemma3"
	_ "github.com/getstroke/stroke/internal/model/llama"
	_ "github.com/getstroke/stroke/internal/model/mistral"
	_ "github.com/getstroke/stroke/internal/model/qwen2"
	_ "github.com/getstroke/stroke/internal/model/qwen3"
	_ "github.com/getstroke/stroke/internal/model/smollm3"
)
