//go:build unix

package base

import (
	"os"
	"os/exec"
	"syscall"
)

// asNobody has a command run without the rights of root, whom no write bit
// stops.
func asNobody(cmd *exec.Cmd) {
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
}
