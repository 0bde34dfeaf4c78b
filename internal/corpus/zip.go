package corpus

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"golang.org/x/net/html/charset"
)

// Limits on what an archive may unpack to: far more than any book, far less
// than memory.
const (
	maxEntries    = 20_000
	maxEntryBytes = 64 << 20
	maxAllBytes   = 192 << 20
	maxXMLDepth   = 512
)

var errTooMuch error = &unreadable{reason: "it unpacks to more than any book holds", hint: "save it as text"}

// archive is an opened zip file that gives out no more than its limits.
type archive struct {
	files map[string]*zip.File
	spent int64
}

func openArchive(data []byte) (*archive, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, &unreadable{reason: "damaged, or not what its name says", hint: "open it in the program that wrote it and save it again"}
	}
	if len(z.File) > maxEntries {
		return nil, errTooMuch
	}
	a := &archive{files: make(map[string]*zip.File, len(z.File))}
	for _, f := range z.File {
		a.files[path.Clean(strings.ReplaceAll(f.Name, `\`, "/"))] = f
	}
	return a, nil
}

var errNoEntry = errors.New("it is not in the archive")

// read unpacks one file of the archive. What the archive says of sizes is not
// believed: the bytes are counted as they come.
func (a *archive) read(name string) ([]byte, error) {
	f := a.files[path.Clean(name)]
	if f == nil {
		return nil, errNoEntry
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	limit := min(int64(maxEntryBytes), maxAllBytes-a.spent)
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	a.spent += int64(len(data))
	if int64(len(data)) > limit {
		return nil, errTooMuch
	}
	if err != nil {
		return nil, fmt.Errorf("unpack %s: %w", name, err)
	}
	return data, nil
}

// newXML is a decoder that hears what a document says of its encoding and
// expands no entity of its own.
func newXML(data []byte) *xml.Decoder {
	d := xml.NewDecoder(bytes.NewReader(data))
	d.CharsetReader = charset.NewReaderLabel
	return d
}

// unmarshalXML is xml.Unmarshal with that decoder, and with a bound on depth.
func unmarshalXML(data []byte, v any) error {
	d := newXML(data)
	depth := 0
	for {
		t, err := d.RawToken()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		switch t.(type) {
		case xml.StartElement:
			if depth++; depth > maxXMLDepth {
				return fmt.Errorf("nested more than %d deep", maxXMLDepth)
			}
		case xml.EndElement:
			depth--
		}
	}
	return newXML(data).Decode(v)
}
