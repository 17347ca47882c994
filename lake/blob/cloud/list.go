package cloud

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	gocloud "gocloud.dev/blob"

	"github.com/tidemark-io/tidemark/lake/blob"
)

const (
	pageKeys = 1000
	// sortKeysMax bounds what is held of a listing that must be sorted here.
	sortKeysMax = 1_000_000
)

// List implements blob.Bucket. What isn't a key of ours is passed over, as a directory does.
func (b *bucket) List(ctx context.Context, prefix string, fn func(blob.Object) error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("list: %w", err)
	}
	if err := validatePrefix(prefix); err != nil {
		return err
	}
	if b.sorted {
		last := ""
		return b.pages(ctx, prefix, func(o blob.Object) error {
			if o.Key <= last {
				return fmt.Errorf("list %s: %s is listed behind %s: this server doesn't list in the order of keys (S3 directory buckets don't); use an ordinary bucket",
					b.object(prefix), o.Key, last)
			}
			last = o.Key
			return fn(o)
		})
	}
	var all []blob.Object
	err := b.pages(ctx, prefix, func(o blob.Object) error {
		if len(all) == sortKeysMax {
			return fmt.Errorf("list %s: more than %d objects, which are too many to sort; list a longer prefix", b.object(prefix), sortKeysMax)
		}
		all = append(all, o)
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(x, y blob.Object) int { return strings.Compare(x.Key, y.Key) })
	for _, o := range all {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("list %s: %w", b.object(prefix), err)
		}
		if err := fn(o); err != nil {
			return err
		}
	}
	return nil
}

// pages calls fn for every object, in the server's order.
func (b *bucket) pages(ctx context.Context, prefix string, fn func(blob.Object) error) error {
	for token := gocloud.FirstPageToken; len(token) > 0; {
		objects, next, err := b.page(ctx, prefix, token)
		if err != nil {
			return err
		}
		for _, o := range objects {
			key := strings.TrimPrefix(o.Key, b.prefix)
			if o.IsDir || blob.ValidateKey(key) != nil || isFolder(o) {
				continue
			}
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("list %s: %w", b.object(prefix), err)
			}
			if err := fn(blob.Object{Key: key, Size: o.Size}); err != nil {
				return err
			}
		}
		token = next
	}
	return nil
}

func (b *bucket) page(ctx context.Context, prefix string, token []byte) ([]*gocloud.ListObject, []byte, error) {
	ctx, p := b.o.wait(ctx, 0)
	defer p.end()
	objects, next, err := b.store.ListPage(ctx, token, pageKeys, &gocloud.ListOptions{Prefix: b.prefix + prefix})
	if err != nil {
		return nil, nil, b.blame(ctx, "list", prefix, err)
	}
	return objects, next, nil
}

// isFolder tells a folder of an Azure account with a hierarchical namespace, which is listed like an object.
func isFolder(o *gocloud.ListObject) bool {
	var item container.BlobItem
	return o.As(&item) && item.Properties != nil && item.Properties.ResourceType != nil && *item.Properties.ResourceType == "directory"
}

// validatePrefix accepts any beginning of a valid key, and "".
func validatePrefix(prefix string) error {
	probe := prefix
	if probe == "" || strings.HasSuffix(probe, "/") {
		probe += "x"
	}
	if err := blob.ValidateKey(probe); err != nil {
		return fmt.Errorf("list prefix: %w", err)
	}
	return nil
}
