package flash

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"fmt"
)

// verify compares by digest where the target can make one, which costs a few
// bytes on the line, and else by reading all back.
func (p *programmer) verify(ctx context.Context) error {
	if d, ok := p.Loader.(Digester); ok {
		return p.verifyDigest(ctx, d)
	}
	r := p.Loader.(Reader)
	got := make([]byte, p.block)
	return p.eachBlock(ctx, PhaseVerify, func(b Segment) error {
		got := got[:len(b.Data)]
		if err := r.Read(ctx, b.Addr, got); err != nil {
			return err
		}
		return compare(b, got)
	})
}

// compare gives a *VerifyError at the first byte that differs.
func compare(want Segment, got []byte) error {
	var e *VerifyError
	for i, b := range want.Data {
		if got[i] == b {
			continue
		}
		if e == nil {
			e = &VerifyError{Addr: want.Addr + uint32(i), Want: b, Got: got[i], Of: len(got)}
		}
		e.Differ++
	}
	if e == nil {
		return nil
	}
	return e
}

func (p *programmer) verifyDigest(ctx context.Context, d Digester) error {
	return p.step(PhaseVerify, p.total(), func(done func(int)) error {
		for _, s := range p.segments {
			if err := firstError(ctx.Err, func() error { return compareDigest(ctx, d, s) }); err != nil {
				return &Error{Phase: PhaseVerify, Addr: s.Addr, Err: err}
			}
			done(len(s.Data))
		}
		return nil
	})
}

func compareDigest(ctx context.Context, d Digester, s Segment) error {
	algorithm, got, err := d.Digest(ctx, s.span())
	if err != nil {
		return err
	}
	var want []byte
	switch algorithm {
	case "md5":
		sum := md5.Sum(s.Data)
		want = sum[:]
	case "sha256":
		sum := sha256.Sum256(s.Data)
		want = sum[:]
	default:
		return fmt.Errorf("target digests by %q, which is not known here", algorithm)
	}
	if !bytes.Equal(got, want) {
		return &DigestError{Span: s.span(), Algorithm: algorithm, Want: want, Got: got}
	}
	return nil
}
