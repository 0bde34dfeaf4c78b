package kernel

func archKinds() []*kind { return nil }
