package weights

import (
	"bytes"
	"os"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// largePages says whether the system gives large pages to those who ask.
var largePages = sync.OnceValue(func() bool {
	b, err := os.ReadFile("/sys/kernel/mm/transparent_hugepage/enabled")
	return err == nil && !bytes.Contains(b, []byte("[never]")) && pageSize <= 16<<10
})

// hold puts memory with the file's bytes in the place of the mapping.
func (m *mapping) hold() error {
	if m.held || !largePages() {
		return nil
	}
	f, err := os.Open(m.path)
	if err != nil {
		return nil
	}
	defer f.Close()
	if m.unchanged() != nil {
		return nil
	}
	// The address is taken before memory is asked for: where there is none, nobody
	// else may have mapped something there.
	if err := m.place(-1, unix.PROT_NONE, unix.MAP_ANON|unix.MAP_PRIVATE|unix.MAP_NORESERVE); err != nil {
		return m.release(f)
	}
	m.held = true
	if unix.Mprotect(m.data, unix.PROT_READ|unix.PROT_WRITE) != nil || unix.Madvise(m.data, unix.MADV_HUGEPAGE) != nil {
		return m.release(f)
	}
	if _, err := f.ReadAt(m.data, 0); err != nil || m.unchanged() != nil {
		return m.release(f)
	}
	_ = unix.Mprotect(m.data, unix.PROT_READ) // a guard alone: all is there
	return nil
}

// forget drops the pages of a mapping. What is held is mapped again, unless the
// file is another now.
func (m *mapping) forget() {
	if len(m.data) == 0 {
		return
	}
	if !m.held {
		unix.Madvise(m.data, unix.MADV_DONTNEED)
		return
	}
	f, err := os.Open(m.path)
	if err != nil {
		return
	}
	defer f.Close()
	if m.unchanged() == nil {
		_ = m.release(f) // what cannot be mapped stays held
	}
}

// release maps the file again where its bytes are held.
func (m *mapping) release(f *os.File) error {
	err := m.place(int(f.Fd()), unix.PROT_READ, unix.MAP_SHARED)
	if err == nil {
		m.held = false
	}
	return err
}

// place maps something else at the address of the mapping.
func (m *mapping) place(fd, prot, flags int) error {
	_, err := unix.MmapPtr(fd, 0, unsafe.Pointer(unsafe.SliceData(m.data)), uintptr(len(m.data)), prot, flags|unix.MAP_FIXED)
	return err
}
