//go:build !linux

package weights

// hold does nothing: other systems choose the size of pages themselves.
func (m *mapping) hold() error { return nil }

// forget drops the pages of a mapping.
func (m *mapping) forget() { forget(m.data) }
