// Package programtest runs a program in its tests as its users do: as a process of its
// own, which prints, hears signals and ends with a status. The process is the test binary,
// which takes the part of the program, so that nothing is built a second time and the race
// detector is in both:
//
//	func TestMain(m *testing.M) { programtest.Main(m, main) }
//
//	func TestAnInterruptEndsTheProgram(t *testing.T) {
//		p := programtest.Start(t, programtest.Command("-addr", "127.0.0.1:0"))
//		url := p.Says(t, `serving at (\S+)`)[1]
//		...
//		p.Signal(t, os.Interrupt)
//		if got := p.End(t); got.Code != 0 {
//			t.Errorf("an interrupt ends the program with %d: %s", got.Code, got.Stderr)
//		}
//	}
//
// Nothing here depends on the pace of the machine: a test waits for what a program says or
// does, and gives up after [Patience], which is so long that only a program that is broken
// uses it up.
package programtest
