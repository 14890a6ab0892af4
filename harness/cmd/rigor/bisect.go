package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"rigor/harness"
	"rigor/harness/compare"
	"rigor/harness/judge"
	"rigor/harness/judge/change"
	"rigor/harness/profile"
	"rigor/harness/record"
	"rigor/harness/rig"
)

type bisectCmd struct {
	Figure string `arg:"" placeholder:"FIGURE" help:"The figure that changed: SUITE/EXPERIMENT/BOARD/QUANTITY/SOURCE, or the beginning of it; all but suite and board may have wildcards. It must be the only one of them that changed."`
	Good   string `required:"" placeholder:"REV" help:"Commit at which it was as it should be."`
	Bad    string `default:"HEAD" placeholder:"REV" help:"Commit at which it is no more (default: ${default})."`
	Rig    string `default:"virtual" placeholder:"NAME" help:"Rig of rigs.yaml, a virtual one (default: ${default})."`
	Where  bool   `help:"In the end run the images of the first bad commit and of the one before with profiles, and name the functions."`
	JSON   bool   `name:"json" help:"Write the outcome as JSON."`
}

func (*bisectCmd) Help() string {
	return "Finds the commit with which a figure changed, on a virtual rig, where one run of each commit is certain to the cycle. Each step\n" +
		"checks a commit out into a temporary worktree, builds its rigor, and runs the figure's suite on the figure's board with the images of\n" +
		"that commit; the checkout that you are in stays as it is. A commit that cannot be built or asked is passed over.\n\n" +
		"  rigor bisect 'latency/goroutine-switch at 16 MHz/f407/*/firmware' --good v1.0 --where\n\n" +
		"A commit is bad if its figure is to the good one's what that of --bad is: worse, better, or different. Of merges the first parent is\n" +
		"followed. Uncommitted changes are no commit. The exit status is 0 if the commit was found, 2 if it could not be told."
}

// Run is the command.
func (c *bisectCmd) Run(ctx context.Context) error {
	root, err := harness.Root(".")
	if err != nil {
		return err
	}
	b, err := newBisection(ctx, root, c)
	if err != nil {
		return err
	}
	defer b.close()
	found, err := b.search(ctx)
	switch {
	case ctx.Err() != nil:
		return &exitError{exitSetup, errors.New("interrupted; no worktree is left behind")}
	case err != nil:
		return err
	}
	if c.Where && found.FirstBad != nil {
		if err := b.where(ctx, found); err != nil {
			found.Nowhere = err.Error()
		}
	}
	return found.write(os.Stdout, c.JSON)
}

// wanted is what a figure is called by.
type wanted struct{ pattern, suite, board string }

func parseWanted(pattern string) (w wanted, err error) {
	parts := strings.Split(pattern, "/")
	if len(parts) < 3 {
		return w, fmt.Errorf("figure %q: want SUITE/EXPERIMENT/BOARD/QUANTITY/SOURCE, as rigor baseline show lists them, or its beginning", pattern)
	}
	w = wanted{pattern: pattern, suite: parts[0], board: parts[2]}
	if strings.ContainsAny(w.suite+w.board, `*?[\`) {
		return w, fmt.Errorf("figure %q: suite and board must be named, they are what is run at each commit", pattern)
	}
	_, err = path.Match(pattern, "")
	return w, err
}

// in finds the figures in a run.
func (w wanted) in(run *record.Run) map[judge.Key]judge.Figure {
	all := map[judge.Key]judge.Figure{}
	figures, _ := fitting(run.Figures(), w.pattern) // the pattern is good
	for _, f := range figures {
		all[f.Key] = f
	}
	return all
}

// bisection is a search under way.
type bisection struct {
	root, temp string
	figure     wanted
	rig        string
	good, bad  commit
	try        func(ctx context.Context, at commit) (*record.Run, error) // runs the figure's suite at a commit
	progress   io.Writer

	key judge.Key    // of the figure
	old judge.Figure // at the good commit
	now change.Verdict
}

// commit is one of the history.
type commit struct {
	ID      string `json:"id"`
	Subject string `json:"subject"`
}

func (c commit) String() string { return fmt.Sprintf("%.12s %s", c.ID, c.Subject) }

func newBisection(ctx context.Context, root string, c *bisectCmd) (*bisection, error) {
	figure, err := parseWanted(c.Figure)
	if err != nil {
		return nil, err
	}
	rigs, err := rig.LoadConfig(filepath.Join(root, "rigs.yaml"))
	if err != nil {
		return nil, err
	}
	config, err := rigs.Rig(c.Rig)
	if err != nil {
		return nil, err
	}
	if config.Kind != rig.Virtual {
		return nil, fmt.Errorf("bisect on rig %s: it is of real boards, where one run of a commit tells little; "+
			"rigor ab compares two sets of images on it", c.Rig)
	}
	b := &bisection{root: root, figure: figure, rig: c.Rig, progress: os.Stderr}
	b.try = b.run
	if b.good, err = b.commit(ctx, c.Good); err != nil {
		return nil, err
	}
	if b.bad, err = b.commit(ctx, c.Bad); err != nil {
		return nil, err
	}
	if b.temp, err = os.MkdirTemp("", "rigor-bisect-"); err != nil {
		return nil, err
	}
	return b, nil
}

// commit resolves a revision.
func (b *bisection) commit(ctx context.Context, rev string) (commit, error) {
	out, err := b.git(ctx, "log", "-1", "--format=%H %s", "--end-of-options", rev, "--")
	if err != nil {
		return commit{}, err
	}
	id, subject, _ := strings.Cut(out, " ")
	return commit{id, subject}, nil
}

// git runs it in the project's checkout.
func (b *bisection) git(ctx context.Context, args ...string) (string, error) {
	c := exec.CommandContext(ctx, "git", append([]string{"-C", b.root}, args...)...)
	out, err := c.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("git %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out)), nil
}

// history are the commits after good up to bad.
func (b *bisection) history(ctx context.Context) (all []commit, err error) {
	if _, err := b.git(ctx, "merge-base", "--is-ancestor", b.good.ID, b.bad.ID); err != nil {
		return nil, fmt.Errorf("bisect: %v is no ancestor of %v: %w", b.good, b.bad, err)
	}
	out, err := b.git(ctx, "log", "--first-parent", "--reverse", "--format=%H %s", b.good.ID+".."+b.bad.ID)
	if err != nil || out == "" {
		return nil, err
	}
	for line := range strings.Lines(out) {
		id, subject, _ := strings.Cut(strings.TrimSpace(line), " ")
		all = append(all, commit{id, subject})
	}
	return all, nil
}

// tree is where commits are checked out.
func (b *bisection) tree() string { return filepath.Join(b.temp, "tree") }

// checkOut puts a commit into the worktree.
func (b *bisection) checkOut(ctx context.Context, at commit) error {
	if _, err := os.Stat(b.tree()); err != nil {
		_, err := b.git(ctx, "worktree", "add", "--quiet", "--detach", b.tree(), at.ID)
		return err
	}
	_, err := b.git(ctx, "-C", b.tree(), "checkout", "--quiet", "--force", "--detach", at.ID)
	return err
}

// close leaves nothing behind.
func (b *bisection) close() error {
	ctx := context.Background() // an interrupt has ended the other
	b.git(ctx, "worktree", "remove", "--force", b.tree())
	err := os.RemoveAll(b.temp)
	b.git(ctx, "worktree", "prune")
	return err
}

// run asks a commit by its own rigor.
func (b *bisection) run(ctx context.Context, at commit) (*record.Run, error) {
	if err := b.checkOut(ctx, at); err != nil {
		return nil, err
	}
	binary, out := filepath.Join(b.temp, "rigor"), filepath.Join(b.temp, "run-"+at.ID)
	if err := b.command(ctx, b.tree(), "go", "build", "-o", binary, "./harness/cmd/rigor"); err != nil {
		return nil, fmt.Errorf("build rigor: %w", err)
	}
	err := b.command(ctx, b.tree(), binary, "run", "--rig", b.rig, "--suite", b.figure.suite, "--board", b.figure.board, "--out", out)
	run, errLoad := record.Load(out)
	if errLoad != nil {
		return nil, errors.Join(err, errLoad)
	}
	if run.Status != record.Complete {
		return nil, fmt.Errorf("the run is %s: %w", run.Status, err)
	}
	return run, nil // a verdict that fails it is what is looked for
}

// command runs a program in dir, without the variables that tell a rigor what to do. What it prints is the
// error's, if there is one.
func (b *bisection) command(ctx context.Context, dir, name string, args ...string) error {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = dir
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "RIGOR_") && !strings.HasPrefix(v, "GIT_") {
			c.Env = append(c.Env, v)
		}
	}
	// As of suites: Ctrl-C reaches it once, from here, and so does the end of this process.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGINT}
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = 2 * grace
	out, err := c.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, tail(string(out), 20))
	}
	return nil
}

// tail is the last lines of a text.
func tail(text string, lines int) string {
	all := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// where names the functions, by runs of this rigor with the images of the two commits.
func (b *bisection) where(ctx context.Context, found *bisected) error {
	good, err := b.profiled(ctx, found.LastGood.commit)
	if err != nil {
		return err
	}
	bad, err := b.profiled(ctx, found.FirstBad.commit)
	if err != nil {
		return err
	}
	c := compare.Compare(compare.OfRun(good), compare.OfRun(bad))
	c.Rows = slices.DeleteFunc(c.Rows, func(r compare.Row) bool { return r.Key != b.key })
	found.places, err = places(ctx, good, bad, &c)
	switch {
	case err != nil:
		return err
	case len(found.places) == 0:
		return errors.New("in this rigor the figure is the same with the images of both commits")
	}
	found.Where = c.Rows[0].Where
	return nil
}

// profiled runs the images of a commit in this rigor.
func (b *bisection) profiled(ctx context.Context, at commit) (*record.Run, error) {
	if err := b.checkOut(ctx, at); err != nil {
		return nil, err
	}
	files, err := harness.ProjectFiles(b.root)
	if err != nil {
		return nil, err
	}
	out := filepath.Join(b.temp, "profile-"+at.ID)
	c := &runCmd{Rig: b.rig, Suite: []string{b.figure.suite}, Board: []string{b.figure.board}, Repeat: 1, Profile: true,
		Firmware: filepath.Join(b.tree(), "firmware", "images"), Out: out}
	if _, err := c.run(ctx, files, io.Discard); ctx.Err() != nil {
		return nil, err
	}
	return record.Load(out)
}

// bisected is the outcome of a bisection.
type bisected struct {
	Figure   judge.Key        `json:"figure"`
	Verdict  change.Verdict   `json:"verdict"` // of what is bad
	LastGood *step            `json:"last_good"`
	FirstBad *step            `json:"first_bad,omitempty"` // nil: it is one of Suspects
	Suspects []step           `json:"suspects,omitempty"`  // commits that could not be asked, and the one after
	Whose    rig.Class        `json:"whose,omitempty"`
	Steps    []step           `json:"steps"`             // in the order in which they were asked
	Where    []profile.Change `json:"where,omitempty"`   // the functions in which it is
	Nowhere  string           `json:"nowhere,omitempty"` // why there are none

	places []place
}

// told is nil if the first bad commit is known.
func (o *bisected) told() error {
	if o.FirstBad != nil {
		return nil
	}
	return &exitError{exitSetup, errors.New("the first bad commit could not be told")}
}

// write prints it.
func (o *bisected) write(w io.Writer, asJSON bool) error {
	if asJSON {
		return errors.Join(writeJSON(w, o), o.told())
	}
	if o.FirstBad == nil {
		fmt.Fprintf(w, "the first %s commit is one of these, which could not be asked but for the last:\n", o.Verdict)
		for _, s := range o.Suspects {
			fmt.Fprintf(w, "  %v\n", s.commit)
		}
		return o.told()
	}
	fmt.Fprintf(w, "%v\nis the first %s commit; %s. What differs is the %s.\n", o.FirstBad.commit, o.Verdict, o.FirstBad.Reason, o.Whose)
	if o.Nowhere != "" {
		fmt.Fprintf(w, "where: %s\n", o.Nowhere)
	}
	return tellWhere(w, o.places)
}
