package reconcile

import (
	"context"
	"fmt"
	"strconv"

	"github.com/tidemark-io/tidemark/stream/curated"
)

// auditClaims holds what the certificate says of its input and its windows against the same, counted again.
func auditClaims(last *lastCertificate, b *batch) *Difference {
	if got, said := b.accounting(), last.cert.Accounting; got != said {
		return claim("certificate %d accounts for its records as %+v, counted again they are %+v", last.number, said, got)
	}
	if got, said := int64(len(b.rows)), last.cert.Result.Windows; got != said {
		return claim("certificate %d is of %d windows, counted again they are %d", last.number, said, got)
	}
	if got, said := sha(b.hash[:]), last.cert.Result.RowsHash; got != said {
		return claim("certificate %d says that its rows hash to %s, recomputed they hash to %s", last.number, said, got)
	}
	return nil
}

func claim(format string, args ...any) *Difference {
	return &Difference{Kind: "certificate", Detail: fmt.Sprintf(format, args...)}
}

// auditCompared counts again what the certificate says to have found equal and corrected: behind its fence nobody else could
// publish for the unit, so its corrections are those between the two cuts that it names.
func (r *Reconciler) auditCompared(ctx context.Context, v *view, u *unitState) (*Difference, error) {
	cert, out := u.last.cert, v.outputs[u.key.output]
	from, to := offsetsOf(cert.Compared.Cut), offsetsOf(cert.Compared.PublishedTo)
	if len(from) != len(out.index.ends) || len(to) != len(from) {
		return claim("certificate %d names %d and %d high watermarks of %s, which has %d partitions",
			u.last.number, len(from), len(to), out.index.name, len(out.index.ends)), nil
	}
	listed := make(map[string]*CertCorrection, len(cert.Corrections))
	for i := range cert.Corrections {
		c := &cert.Corrections[i]
		listed[correctionName(c.Key, c.WindowStart.UnixMilli(), c.WindowEnd.UnixMilli(), c.ToRevision)] = c
	}
	var corrected, retracted, matched int64
	var wrong *Difference
	err := out.each(ctx, r.bucket, u.span, func(at place, _ []byte, row *curated.Row) error {
		if at.offset < from[at.partition] || at.offset >= to[at.partition] || row.Status != curated.Reconciled && row.Status != curated.Retracted {
			return nil
		}
		corrected++
		if row.Status == curated.Retracted {
			retracted++
		}
		c := listed[correctionName(out.codec.FormatKey(row.Key), row.Start, row.End, row.Revision)]
		if c == nil {
			return nil
		}
		matched++
		if !c.is(row, out.codec) && wrong == nil {
			wrong = claim("certificate %d lists a correction of %s as %s, cause %s; published at %s it is another",
				u.last.number, c.Key, c.Kind, c.Cause, at)
		}
		return nil
	})
	switch said := cert.Compared; {
	case err != nil || wrong != nil:
		return wrong, err
	case said.Corrected != corrected:
		return claim("certificate %d says that %d windows were corrected, published are %d", u.last.number, said.Corrected, corrected), nil
	case matched != min(corrected, correctionsMax) || matched != int64(len(cert.Corrections)):
		return claim("certificate %d lists %d corrections; published are %d, of which it lists %d", u.last.number, len(cert.Corrections), corrected, matched), nil
	case said.Equal != cert.Result.Windows-(corrected-retracted):
		return claim("certificate %d says that %d windows were equal; of its %d windows %d were corrected", u.last.number, said.Equal,
			cert.Result.Windows, corrected-retracted), nil
	}
	return nil, nil
}

func correctionName(key string, start, end, revision int64) string {
	return fmt.Sprintf("%d %d %d %s", start, end, revision, key)
}

// is reports whether a published row is the listed correction.
func (c *CertCorrection) is(row *curated.Row, codec *curated.Codec) bool {
	if c.Cause != row.Cause.String() || (c.Kind == kindRemoved) != (row.Status == curated.Retracted) {
		return false
	}
	if row.Status == curated.Retracted {
		return c.After == nil
	}
	hash := codec.RowHash(row)
	return c.After != nil && *c.After == sha(hash[:])
}

// offsetsOf reads what decimals wrote; nil if it is something else.
func offsetsOf(texts []string) []int64 {
	out := make([]int64, len(texts))
	for i, t := range texts {
		var err error
		if out[i], err = strconv.ParseInt(t, 10, 64); err != nil {
			return nil
		}
	}
	return out
}
