package weights

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// hold puts memory with the file's bytes in the place of the mapping.
func (m *mapping) hold() error {
	if m.held {
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
	if err := m.place(-1, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE); err != nil {
		return m.place(int(f.Fd()), unix.PROT_READ, unix.MAP_SHARED)
	}
	m.held = true
	unix.Madvise(m.data, unix.MADV_HUGEPAGE)
	if _, err := f.ReadAt(m.data, 0); err != nil || m.unchanged() != nil {
		return m.release(f)
	}
	return unix.Mprotect(m.data, unix.PROT_READ)
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
		m.release(f)
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
