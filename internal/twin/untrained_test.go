package twin

import (
	"context"
	"strings"
	"testing"

	"github.com/getstroke/stroke"
)

// TestBeingTrained says of a twin without a base that it is being trained, for as long
// as it is.
func TestBeingTrained(t *testing.T) {
	f, err := create(t.TempDir(), "me")
	if err != nil {
		t.Fatal(err)
	}
	write := func() error {
		_, err := OpenVoice(context.Background(), f.Dir, VoiceOptions{}, nil)
		return err
	}
	unlock, err := f.lock(doingTrain)
	if err != nil {
		t.Fatal(err)
	}
	if err := write(); stroke.CodeOf(err) != stroke.CodeNotFound || !strings.Contains(err.Error(), "being trained at this moment") {
		t.Errorf("while it is trained: %v", err)
	}
	unlock()
	if err := write(); stroke.CodeOf(err) != stroke.CodeNotFound || strings.Contains(err.Error(), "at this moment") || !strings.Contains(stroke.HintOf(err), "stroke train") {
		t.Errorf("with nothing: %v", err)
	}
}
