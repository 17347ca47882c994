package realkafka

import "syscall"

// bound makes the kernel kill the child when the thread that started it ends.
func bound() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
