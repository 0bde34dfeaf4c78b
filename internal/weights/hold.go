package weights

import "errors"

// leastHeld is the size of a file from which on large pages make a difference:
// that of a large page of amd64 and, mostly, of arm64.
const leastHeld = 2 << 20

// Hold takes a model's weights into memory of the process, at the addresses that
// they have, so that tensors stay as they are. Pages of a mapped file have 4 KiB,
// and a processor remembers where a few megabytes of such lie: products that read
// all weights for one token wait for the tables. Memory of its own can have pages
// of 2 MiB. Files that are smaller than that stay mapped, and so does everything
// where the system has no large pages to give. Forget undoes it.
//
// Nothing may read the weights meanwhile. Where a file cannot be read it stays
// mapped; an error means that weights are lost and the source is of no use.
func (s *Source) Hold() error {
	var errs []error
	for _, m := range s.mappings() {
		if len(m.data) >= leastHeld {
			errs = append(errs, m.hold())
		}
	}
	return errors.Join(errs...)
}

// Held is how much of the model is held, in bytes.
func (s *Source) Held() int64 {
	var n int64
	for _, m := range s.mappings() {
		if m.held {
			n += int64(len(m.data))
		}
	}
	return n
}

// Size is the size of the model's files in bytes.
func (s *Source) Size() int64 {
	var n int64
	for _, m := range s.mappings() {
		n += int64(len(m.data))
	}
	return n
}

// mappings are the files of the model.
func (s *Source) mappings() []*mapping {
	var out []*mapping
	if s.GGUF != nil && s.GGUF.mapping != nil {
		out = append(out, s.GGUF.mapping)
	}
	if s.Folder != nil {
		for _, f := range s.Folder.shards {
			out = append(out, f.mapping)
		}
	}
	return out
}
