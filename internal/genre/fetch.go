package genre

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/getstroke/stroke"
)

// The bounds on what is fetched and unpacked, in bytes and entries.
const (
	mostArchive   = 600 << 20
	mostEntries   = 10000
	mostDirectory = 4 << 20 // of a zip archive: what is read before its entries are counted
	fetchWait     = 10 * time.Minute
)

// wanted are the files that are taken: the config, and the weights in either form.
var wanted = map[string]int64{ConfigFile: mostConfig, WeightsFile: mostWeights, CompactFile: mostWeights}

// weights says whether a file of this name holds an adapter's weights.
func weights(name string) bool { return name == WeightsFile || name == CompactFile }

// Fetch puts the config and the weights of somebody else's adapter, as PEFT has them
// or in whole numbers, into the folder into, and nothing else of what is there. from
// is a folder, a zip or tar.gz archive, or the address of such an archive or of an
// adapter's weights.
func Fetch(ctx context.Context, from, into string) error {
	err := fetch(ctx, from, into)
	if err == nil {
		return nil
	}
	var said *stroke.Error
	if errors.As(err, &said) {
		return err
	}
	if ctx.Err() != nil {
		return &stroke.Error{Code: stroke.CodeInterrupted, Msg: "stopped while the adapter was fetched", Hint: "nothing was added"}
	}
	return &stroke.Error{Code: stroke.CodeInput, Msg: "the adapter at " + Public(from) + " cannot be added", Err: err,
		Hint: "give a folder, a .zip or .tar.gz, or an address of one, that holds " + ConfigFile + " and " + WeightsFile + " or " + CompactFile}
}

// address is from as the address of something, nil where it is a path.
func address(from string) *url.URL {
	if u, err := url.Parse(from); err == nil && (u.Scheme == "https" || u.Scheme == "http") {
		return u
	}
	return nil
}

// Public is from without what an address says of who fetches it: a name, a
// password, a query.
func Public(from string) string {
	u := address(from)
	if u == nil {
		return from
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}

func fetch(ctx context.Context, from, into string) error {
	if u := address(from); u != nil {
		return fetchURL(ctx, u, into)
	}
	info, err := os.Stat(from)
	if errors.Is(err, fs.ErrNotExist) {
		return &stroke.Error{Code: stroke.CodeNotFound, Msg: "there is no file or folder " + from, Hint: "name the folder of an adapter as PEFT saves it, an archive of one, or an address that begins with https://"}
	}
	if err != nil {
		return err
	}
	switch {
	case info.IsDir():
		return copyFiles(from, into)
	case !info.Mode().IsRegular():
		return errors.New("it is no ordinary file")
	case weights(filepath.Base(from)):
		return copyFiles(filepath.Dir(from), into)
	}
	return unpack(from, into)
}

func copyFiles(from, into string) error {
	var found []string
	for name, most := range wanted {
		f, err := os.Open(filepath.Join(from, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		info, err := f.Stat()
		switch {
		case err != nil:
		case !info.Mode().IsRegular():
			err = errors.New(name + " is no ordinary file")
		default:
			err = store(into, name, f, most)
		}
		f.Close()
		if err != nil {
			return err
		}
		found = append(found, name)
	}
	return whole(found)
}

// whole says what is missing of an adapter of which files of these names were found.
func whole(found []string) error {
	switch {
	case !slices.Contains(found, ConfigFile):
		return errors.New("it has no " + ConfigFile)
	case !slices.ContainsFunc(found, weights):
		return fmt.Errorf("it has neither %s nor %s", WeightsFile, CompactFile)
	}
	return nil
}

// store writes a file of at most most bytes.
func store(into, name string, r io.Reader, most int64) error {
	f, err := os.OpenFile(filepath.Join(into, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return errors.New("it has " + name + " twice")
	}
	if err != nil {
		return err
	}
	n, err := io.Copy(f, io.LimitReader(r, most+1))
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil && n > most {
		err = fmt.Errorf("%s is larger than the %d MB that are read", name, most>>20)
	}
	return err
}

// unpack takes the files out of an archive by their last names alone, so
// that no path in it leads anywhere.
func unpack(file, into string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	head := make([]byte, 4)
	if _, err := io.ReadFull(f, head); err != nil {
		return errors.New("it is too short to be an archive")
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	var found []string
	switch {
	case string(head) == "PK\x03\x04":
		info, err := f.Stat()
		if err != nil {
			return err
		}
		few := &bounded{ReaderAt: f, left: mostDirectory}
		z, err := zip.NewReader(few, info.Size())
		few.left = math.MaxInt64
		if err != nil {
			return fmt.Errorf("the archive is damaged: %w", err)
		}
		if len(z.File) > mostEntries {
			return fmt.Errorf("the archive has %d files", len(z.File))
		}
		for _, e := range z.File {
			name := path.Base(e.Name)
			most, ok := wanted[name]
			if !ok || !e.Mode().IsRegular() {
				continue
			}
			r, err := e.Open()
			if err != nil {
				return fmt.Errorf("the archive is damaged: %w", err)
			}
			err = store(into, name, r, most)
			r.Close()
			if err != nil {
				return err
			}
			found = append(found, name)
		}
	case head[0] == 0x1f && head[1] == 0x8b:
		g, err := gzip.NewReader(f)
		if err != nil {
			return fmt.Errorf("the archive is damaged: %w", err)
		}
		// What is passed over is unpacked too.
		t := tar.NewReader(io.LimitReader(g, 2*mostWeights))
		for n := 0; ; n++ {
			e, err := t.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return fmt.Errorf("the archive is damaged: %w", err)
			}
			if n > mostEntries {
				return fmt.Errorf("the archive has more than %d files", mostEntries)
			}
			name := path.Base(e.Name)
			most, ok := wanted[name]
			if !ok || e.Typeflag != tar.TypeReg {
				continue
			}
			if err := store(into, name, t, most); err != nil {
				return err
			}
			found = append(found, name)
		}
	default:
		return errors.New("it is neither a folder nor a zip or tar.gz archive")
	}
	return whole(found)
}

// bounded reads no more bytes than are left.
type bounded struct {
	io.ReaderAt
	left int64
}

func (b *bounded) ReadAt(p []byte, at int64) (int, error) {
	if b.left -= int64(len(p)); b.left < 0 {
		return 0, fmt.Errorf("its directory is larger than the %d MB that are read", mostDirectory>>20)
	}
	return b.ReaderAt.ReadAt(p, at)
}

// fetchURL fetches an archive, or an adapter's weights and the config that lies
// beside them.
func fetchURL(ctx context.Context, u *url.URL, into string) error {
	ctx, cancel := context.WithTimeout(ctx, fetchWait)
	defer cancel()
	if file := path.Base(u.Path); weights(file) {
		for _, name := range []string{ConfigFile, file} {
			one := *u
			one.Path, one.RawPath = path.Join(path.Dir(u.Path), name), ""
			if err := get(ctx, one.String(), func(r io.Reader) error { return store(into, name, r, wanted[name]) }); err != nil {
				return err
			}
		}
		return nil
	}
	const archive = ".archive"
	file := filepath.Join(into, archive)
	if err := get(ctx, u.String(), func(r io.Reader) error { return store(into, archive, r, mostArchive) }); err != nil {
		return err
	}
	defer os.Remove(file)
	return unpack(file, into)
}

func get(ctx context.Context, at string, take func(io.Reader) error) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept-Encoding", "identity") // the bytes as they lie there, and no more of them than are sent
	res, err := http.DefaultClient.Do(req)
	if why := (*url.Error)(nil); errors.As(err, &why) {
		return fmt.Errorf("%s does not answer: %w", req.URL.Host, why.Err) // its own words have the whole address
	}
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", req.URL.Host, strings.ToLower(res.Status))
	}
	return take(res.Body)
}
