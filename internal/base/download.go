package base

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// ErrUnreachable is wrapped by errors of a source that did not answer: no
// network, no such host, nothing heard within seconds, or told to be offline.
var ErrUnreachable = errors.New("no answer")

// unreachable marks an error as that of a source that did not answer.
type unreachable struct{ err error }

func (u unreachable) Error() string   { return u.err.Error() }
func (u unreachable) Unwrap() []error { return []error{u.err, ErrUnreachable} }

// patience says how long a source may be silent. Zero fields take the default.
type patience struct {
	connect time.Duration // to connect, to agree on TLS and to begin an answer, each
	stall   time.Duration // without a byte of a file that is being sent
	pause   time.Duration // before the first new try of a transfer that broke off; doubles
	forget  time.Duration // a host that did not answer is not asked again for so long

	installerStart time.Duration // until an installer says its first word, on a slow disk
	installerQuiet time.Duration // from then until the index answers it
	installerStall time.Duration // without a byte more on the disk
}

func (p patience) orDefault() patience {
	def := func(d *time.Duration, to time.Duration) {
		if *d == 0 {
			*d = to
		}
	}
	def(&p.connect, 4*time.Second)
	def(&p.stall, 15*time.Second)
	def(&p.pause, 500*time.Millisecond)
	def(&p.forget, time.Minute)
	def(&p.installerStart, 30*time.Second)
	def(&p.installerQuiet, 8*time.Second)
	def(&p.installerStall, 90*time.Second)
	return p
}

// maxTries is how often a transfer may break off in a row without coming
// further than before.
const maxTries = 4

// client gives an HTTP client that follows redirects as far as follow allows.
func (s *Store) client(follow func(next *http.Request) bool) *http.Client {
	p := s.patience.orDefault()
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: p.connect}).DialContext,
			TLSHandshakeTimeout:   p.connect,
			ResponseHeaderTimeout: p.connect,
			ForceAttemptHTTP2:     true,
			DisableKeepAlives:     true,
		},
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			if len(via) >= 10 {
				return errors.New("more than ten redirects")
			}
			if !follow(req) {
				return http.ErrUseLastResponse
			}
			if !within(via[0].URL, req.URL) {
				// net/http goes by the name of the host alone, not its port or scheme.
				req.Header.Del("Authorization")
			}
			return nil
		},
	}
}

// within says whether what is for from alone may go to an address too: the same host and
// port, and never in the clear what was not.
func within(from, to *url.URL) bool {
	return to.Host == from.Host && (to.Scheme == from.Scheme || to.Scheme == "https")
}

// ask sends the first request to a source. A host that does not answer is
// remembered, and given up at once the next time.
func (s *Store) ask(c *http.Client, req *http.Request) (*http.Response, error) {
	host := req.URL.Host
	s.mu.Lock()
	when, was := s.silent[host]
	s.mu.Unlock()
	if was && time.Since(when) < s.patience.orDefault().forget {
		return nil, unreachable{fmt.Errorf("%s does not answer", host)}
	}
	resp, err := send(c, req)
	if errors.Is(err, ErrUnreachable) {
		s.mu.Lock()
		if s.silent == nil {
			s.silent = map[string]time.Time{}
		}
		s.silent[host] = time.Now()
		s.mu.Unlock()
	}
	return resp, err
}

// send sends a request.
func send(c *http.Client, req *http.Request) (*http.Response, error) {
	req.Header.Set("User-Agent", "stroke")
	req.Header.Set("Accept-Encoding", "identity")
	resp, err := c.Do(req)
	if err == nil {
		return resp, nil
	}
	if req.Context().Err() != nil {
		return nil, context.Cause(req.Context())
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err // the address may hold a user's password or a signed token
	}
	return nil, unreachable{fmt.Errorf("%s does not answer: %w", req.URL.Host, err)}
}

// statusError is the error of an answer that is not the thing asked for.
func statusError(resp *http.Response) error {
	host := resp.Request.URL.Host
	err := fmt.Errorf("%s answers %s", host, resp.Status)
	switch resp.StatusCode {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, http.StatusTooManyRequests:
		return unreachable{err}
	}
	return err
}

// transfer is one file to be fetched over HTTP.
type transfer struct {
	url      string
	token    string // sent to the host of url alone
	path     string // where it grows; what is there already is not fetched again
	size     int64  // bytes, negative where nobody stated it
	progress func(done, total int64)
}

// errRange says that what lies on the disk does not fit what the server has.
var errRange = errors.New("the server has no such range")

// download fetches a file, going on where an earlier try broke off, and puts
// it on the disk. It does not know whether the bytes are right. It says
// whether some of them came from an earlier try.
func (s *Store) download(ctx context.Context, t transfer) (resumed bool, err error) {
	if err := os.MkdirAll(filepath.Dir(t.path), 0o777); err != nil {
		return false, writeError{err}
	}
	f, err := os.OpenFile(t.path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return false, writeError{err}
	}
	defer f.Close()
	at, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return false, writeError{err}
	}
	if t.size >= 0 && at > t.size {
		at = 0
	}
	resumed = at > 0
	pause := s.patience.orDefault().pause
	began := false // something came in this call
	furthest := at
	for tries := 0; ; {
		if at == t.size {
			break
		}
		n, whole, err := s.receive(ctx, t, f, at)
		switch {
		case err == nil && whole:
			at = n
			t.size = n
			continue
		case ctx.Err() != nil:
			return resumed, context.Cause(ctx)
		case errors.Is(err, errRange) && at > 0:
			at, furthest, resumed = 0, 0, false
			continue
		}
		var w writeError
		if errors.As(err, &w) {
			return resumed, err
		}
		at = n // less than before where the server sent the file from its first byte
		if at > furthest {
			furthest, tries, pause, began = at, 0, s.patience.orDefault().pause, true
		}
		// A source that never answered is given up; one that broke off is not.
		var broken brokenOff
		again := errors.As(err, &broken) || began && errors.Is(err, ErrUnreachable)
		if tries++; !again || tries >= maxTries {
			return resumed, err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return resumed, context.Cause(ctx)
		}
		pause *= 2
	}
	if err := errors.Join(shorten(f, at), f.Sync(), f.Close()); err != nil {
		return resumed, writeError{err}
	}
	return resumed, nil
}

// brokenOff is the error of a transfer that began and did not end.
type brokenOff struct{ err error }

func (b brokenOff) Error() string   { return b.err.Error() }
func (b brokenOff) Unwrap() []error { return []error{b.err, ErrUnreachable} }

// receive asks for the bytes from at on and writes them. It gives the length
// that the file then has, and whether that is the whole file.
func (s *Store) receive(ctx context.Context, t transfer, f *os.File, at int64) (length int64, whole bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.url, nil)
	if err != nil {
		return at, false, err
	}
	if at > 0 {
		req.Header.Set("Range", "bytes="+strconv.FormatInt(at, 10)+"-")
	}
	if t.token != "" {
		req.Header.Set("Authorization", "Bearer "+t.token)
	}
	resp, err := send(s.client(func(*http.Request) bool { return true }), req)
	if err != nil {
		return at, false, err
	}
	defer resp.Body.Close()
	total := t.size
	switch resp.StatusCode {
	case http.StatusOK:
		at = 0
		if total < 0 {
			total = resp.ContentLength
		}
	case http.StatusPartialContent:
		from, of, ok := parseRange(resp.Header.Get("Content-Range"))
		if !ok || from != at || total >= 0 && of >= 0 && of != total {
			return 0, false, errRange
		}
		if total < 0 {
			total = of
		}
	case http.StatusRequestedRangeNotSatisfiable:
		return 0, false, errRange
	default:
		return at, false, statusError(resp)
	}
	if _, err := f.Seek(at, io.SeekStart); err != nil {
		return at, false, writeError{err}
	}
	if err := shorten(f, at); err != nil {
		return at, false, writeError{err}
	}
	limit := int64(-1)
	if total >= 0 {
		limit = total - at
	}
	wait := s.patience.orDefault().stall
	stall := time.AfterFunc(wait, func() {
		cancel(fmt.Errorf("%s sent nothing for %s", req.URL.Host, wait))
	})
	defer stall.Stop()
	c := copier{
		ctx:   ctx,
		alive: func() { stall.Reset(wait) },
		progress: func(done int64) {
			if t.progress != nil {
				t.progress(at+done, max(total, 0))
			}
		},
	}
	n, err := c.copy(f, resp.Body, limit)
	length = at + n
	var w writeError
	switch {
	case errors.As(err, &w):
		return length, false, err
	case err == nil && (total < 0 || length == total):
		return length, true, nil
	case err == nil:
		err = fmt.Errorf("%s broke off after %d of %d bytes", req.URL.Host, length, total)
	case errors.Is(err, errTooLong):
		return 0, false, fmt.Errorf("%s sends more than %d bytes", req.URL.Host, total)
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return length, false, brokenOff{err}
}

// shorten cuts off what a file holds beyond a size.
func shorten(f *os.File, size int64) error {
	if info, err := f.Stat(); err != nil || info.Size() <= size {
		return err
	}
	return f.Truncate(size)
}

// parseRange reads "bytes 5-9/10" as 5 and 10; the length may be "*", then it
// is negative.
func parseRange(h string) (from, of int64, ok bool) {
	rest, ok1 := strings.CutPrefix(h, "bytes ")
	span, length, ok2 := strings.Cut(rest, "/")
	first, _, ok3 := strings.Cut(span, "-")
	from, err := strconv.ParseInt(first, 10, 64)
	if !ok1 || !ok2 || !ok3 || err != nil || from < 0 {
		return 0, 0, false
	}
	if length == "*" {
		return from, -1, true
	}
	of, err = strconv.ParseInt(length, 10, 64)
	return from, of, err == nil && of > from
}
