package twin

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/getstroke/stroke"
)

const lockFile = ".lock"

// holder says who holds a lock.
type holder struct {
	PID   int       `json:"pid"`
	Host  string    `json:"host"`
	Since time.Time `json:"since"`
	Doing string    `json:"doing"`
}

// lock takes the twin's lock for a change to its folder, or says who holds it.
// The lock ends with the process.
func (f *Folder) lock(doing string) (unlock func(), err error) {
	return lockFolder(f.Dir, doing, func(who string) error {
		return &stroke.Error{Code: stroke.CodeBusy, Msg: fmt.Sprintf("the twin %s is in use by %s", f.Name, who),
			Hint: "wait until it is done, or stop it; writing and chatting need no lock"}
	})
}

// lockFolder takes the lock of a folder until the process ends; where another one
// holds it the error is what busy makes of who that is.
func lockFolder(dir, doing string, busy func(who string) error) (unlock func(), err error) {
	path := filepath.Join(dir, lockFile)
	l := flock.New(path)
	ok, err := l.TryLock()
	if err != nil {
		return nil, writeError(path, err)
	}
	note := path + ".json"
	if !ok {
		var h holder
		who := "another process"
		if b, err := os.ReadFile(note); err == nil && json.Unmarshal(b, &h) == nil && h.PID != 0 {
			who = fmt.Sprintf("process %d on %s, since %s, to %s", h.PID, h.Host, h.Since.Local().Format("15:04:05"), h.Doing)
		}
		return nil, busy(who)
	}
	host, _ := os.Hostname()
	b, err := json.Marshal(holder{PID: os.Getpid(), Host: host, Since: time.Now(), Doing: doing})
	if err == nil {
		err = os.WriteFile(note, b, 0o600)
	}
	if err != nil {
		os.Remove(note)
		l.Unlock()
		return nil, writeError(note, err)
	}
	return func() {
		os.Remove(note)
		l.Unlock()
	}, nil
}

// Held says to what somebody has the twin's lock at this moment; empty where nobody has.
func (f *Folder) Held() string {
	path := filepath.Join(f.Dir, lockFile)
	b, err := os.ReadFile(path + ".json")
	var h holder
	if err != nil || json.Unmarshal(b, &h) != nil {
		return ""
	}
	// One that was killed leaves its note behind.
	l := flock.New(path)
	if ok, err := l.TryRLock(); ok || err != nil {
		l.Unlock()
		return ""
	}
	return h.Doing
}

// free says who holds the lock of a twin that is there already, before a run
// spends time on what it can do without the lock.
func (f *Folder) free(doing string) error {
	if f.Schema == 0 {
		return nil
	}
	unlock, err := f.lock(doing)
	if err != nil {
		return err
	}
	unlock()
	return nil
}
