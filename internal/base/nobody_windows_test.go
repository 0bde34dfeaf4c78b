package base

import "os/exec"

func asNobody(*exec.Cmd) {}
