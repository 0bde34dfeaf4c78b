package twin

import (
	"context"
	"os"
	"path/filepath"
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

// TestTrainedMeanwhile refuses to make passages alone of a twin that somebody trained
// while the base was opened.
func TestTrainedMeanwhile(t *testing.T) {
	o := options(t, writing(t, t.TempDir(), func(i int) bool { return i < 8 }))
	alone := o
	alone.ExamplesOnly = true
	var f *Folder
	var v *Version
	err := Train(t.Context(), alone, func(e stroke.Event) {
		if _, ok := e.(stroke.BaseEvent); ok {
			f, v = trained(t, o)
		}
	})
	if code(t, err, stroke.CodeInput); v == nil || !strings.Contains(err.Error(), "has been trained already") {
		t.Fatalf("trained meanwhile: %v", err)
	}
	if _, err := os.Stat(filepath.Join(f.Dir, examplesFile)); err == nil {
		t.Error("a twin that is trained has a list of passages alone")
	}
}
