package twin

import (
	"testing"

	"github.com/getstroke/stroke"
	"github.com/getstroke/stroke/internal/genre"
	"github.com/getstroke/stroke/internal/testkit"
)

// TestDistinct tries an adapter once, whatever it is called and however it is rounded.
func TestDistinct(t *testing.T) {
	path := testkit.Toy(t, testkit.ToyShape{})
	b, err := openBase(path, path)
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	of := func(name string, embedded bool, scale float64, seed uint64) trial {
		return trial{genre: &genre.Genre{Card: genre.Card{Name: name}, Embedded: embedded}, adapter: loud(b, 2, scale, seed)}
	}
	told := 0
	got := distinct([]trial{of("copy", false, 0.01001, 9), of("louder", false, 0.02, 9), of("novel", true, 0.01, 9), of("other", false, 0.01, 7)}, func(stroke.Event) { told++ })
	var names []string
	for _, x := range got {
		names = append(names, x.genre.Name)
	}
	if len(names) != 3 || names[0] != "novel" || names[1] != "louder" || names[2] != "other" || told != 1 {
		t.Errorf("%v, told of %d", names, told)
	}
}
