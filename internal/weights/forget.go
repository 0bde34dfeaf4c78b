package weights

// Forget tells the system that a model's weights are not needed for a while: they
// stop counting as memory of the process, and are read again where they are used
// after all.
func (s *Source) Forget() {
	for _, m := range s.mappings() {
		m.forget()
	}
}
