package twin

import (
	"context"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/lora"
)

// mixtureLeast is what two genres at half their strength must save over the best
// one alone, in nats per token, to be taken: of twelve writers one gained .016,
// and all others less than .003 (docs/GENRES.md), which is within the noise of
// what they are chosen by.
const mixtureLeast = 0.005

// take gives those of the genres, best first, that auto stands on: the best, the
// best two where these are better together, or none where none saves anything.
// The gain of two is that of both together.
func (b *baseModel) take(ctx context.Context, docs []stroke.Document, list []trial, s *Stage, bf16 bool) ([]trial, error) {
	if len(list) == 0 || !(list[0].gain > 0) {
		return nil, nil
	}
	if s.As != AsLayer || len(list) < 2 || !(list[1].gain > 0) {
		return list[:1], nil
	}
	whole, half := float32(s.Strength), float32(s.Strength/2)
	gains, _, _, err := b.gains(ctx, docs, [][]lora.Applied{
		{{Adapter: list[0].adapter, Strength: whole}},
		{{Adapter: list[0].adapter, Strength: half}, {Adapter: list[1].adapter, Strength: half}},
	}, bf16)
	if err != nil {
		return nil, err
	}
	if !(gains[1]-gains[0] >= mixtureLeast) {
		return list[:1], nil
	}
	two := append([]trial(nil), list[:2]...)
	two[0].gain, two[1].gain = gains[1], gains[1]
	return two, nil
}
