package kafka

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// newRejoining is a client's that joins because of a rebalance.
func newRejoining(owned *Owned) sticky {
	b := newSticky(owned)
	b.joined.Store(true)
	return b
}

// A session that joins a group at rest repeats what was said last, so that the group stays at rest; after a rebalance it says what it has.
func TestStickySaysTheSameAtRest(t *testing.T) {
	owned := new(Owned)
	join := func(b sticky) string { return string(b.JoinGroupMetadata([]string{"in"}, nil, -1)) }
	first := join(newSticky(owned))
	owned.set([]int32{0, 1}, 3)
	second := newSticky(owned)
	if join(second) != first {
		t.Error("the next session joins with other words, though nobody else has come or gone")
	}
	has := join(second) // again: the broker has asked for it
	if has == first {
		t.Error("in a rebalance it doesn't say what it owns")
	}
	if join(newSticky(owned)) != has {
		t.Error("a session that follows joins with other words")
	}
	owned.set([]int32{1}, 4)
	owned.revoke() // and its client was closed before it could join
	if join(newSticky(owned)) == has {
		t.Error("in a rebalance the next session doesn't say what it owns")
	}
}

// group is what its members say when they join.
type group struct {
	owned map[string]*Owned
	width int32
}

// rebalance divides the partitions of two topics among the members, told of in any order, and returns who has which.
func (g *group) rebalance(t *testing.T, order []string) map[string][]int32 {
	t.Helper()
	var members []kmsg.JoinGroupResponseMember
	for _, name := range order {
		m := kmsg.NewJoinGroupResponseMember()
		m.MemberID, m.InstanceID = "member of "+name, &name
		m.ProtocolMetadata = newRejoining(g.owned[name]).JoinGroupMetadata([]string{"left", "right"}, nil, -1)
		members = append(members, m)
	}
	b, topics, err := sticky{}.MemberBalancer(members)
	if err != nil || len(topics) != 2 {
		t.Fatal(topics, err)
	}
	plan, err := b.(kgo.GroupMemberBalancerOrError).BalanceOrError(map[string]int32{"left": g.width, "right": g.width})
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string][]int32{}
	for _, a := range plan.IntoSyncAssignment() {
		byTopic, err := sticky{}.ParseSyncAssignment(a.MemberAssignment)
		if err != nil || !slices.Equal(byTopic["left"], byTopic["right"]) {
			t.Fatalf("%s has %v of one topic and %v of the other, %v", a.MemberID, byTopic["left"], byTopic["right"], err)
		}
		parts[a.MemberID[len("member of "):]] = byTopic["left"]
	}
	return parts
}

// needed is how many of width numbers must move at least, if the shares differ by one at most and members own so many.
func needed(owned []int, width int) int {
	slices.SortFunc(owned, func(a, b int) int { return b - a })
	stays := 0
	for i, n := range owned {
		share := width / len(owned)
		if i < width%len(owned) {
			share++
		}
		stays += min(n, share)
	}
	return width - stays
}

// Processes come, go, come back with what they owned long ago, and are left out while they are away. The numbers are divided evenly, those of
// all topics alike, as few as possible move, and the order in which members are told of makes no difference.
func TestStickyBalance(t *testing.T) {
	for seed := range uint64(300) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			draw := rand.New(rand.NewPCG(seed, 5))
			g := &group{owned: map[string]*Owned{}, width: int32(1 + draw.IntN(20))}
			now := map[int32]string{}
			for generation := int32(1); generation < 12; generation++ {
				var order []string
				for len(order) == 0 {
					for _, name := range []string{"a", "b", "c", "d", "e", "f", "g"} {
						if draw.IntN(2) == 0 {
							order = append(order, name)
						}
					}
				}
				for _, name := range order {
					if g.owned[name] == nil || draw.IntN(10) == 0 {
						g.owned[name] = new(Owned) // a new process
						for p, owner := range now {
							if owner == name {
								delete(now, p)
							}
						}
					}
				}
				parts := g.rebalance(t, order)
				draw.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
				if again := g.rebalance(t, order); fmt.Sprint(parts) != fmt.Sprint(again) {
					t.Fatalf("in another order of members %v is %v", parts, again)
				}
				now = g.hold(t, generation, order, parts, now)
			}
		})
	}
}

// hold holds a division against what was owned before, and makes it what is.
func (g *group) hold(t *testing.T, generation int32, order []string, parts map[string][]int32, before map[int32]string) map[int32]string {
	t.Helper()
	now, moved := map[int32]string{}, 0
	var owned []int
	for _, name := range order {
		mine := parts[name]
		if n := int(g.width) / len(order); len(mine) != n && len(mine) != n+1 {
			t.Errorf("%s has %d of %d, of %d members", name, len(mine), g.width, len(order))
		}
		n := 0
		for _, owner := range before {
			if owner == name {
				n++
			}
		}
		owned = append(owned, n)
		for _, p := range mine {
			if was, taken := now[p]; taken {
				t.Errorf("%d belongs to %s and %s", p, was, name)
			}
			now[p] = name
			if before[p] != name {
				moved++
			}
		}
		g.owned[name].set(mine, generation)
	}
	if len(now) != int(g.width) {
		t.Errorf("%d of %d belong to anybody", len(now), g.width)
	}
	if most := needed(owned, int(g.width)); moved > most {
		t.Errorf("%d have moved, %d had to: %v became %v", moved, most, before, parts)
	}
	return now
}

// Whose state is the newest is asked before whose name is the first; what nobody has is filled in.
func TestStickyClaims(t *testing.T) {
	for _, c := range []struct {
		name   string
		claims []claim
		width  int32
		want   map[string][]int32
	}{
		{name: "nobody", width: 3, want: map[string][]int32{}},
		{name: "all new", width: 5, claims: []claim{{member: "2", name: "b"}, {member: "1", name: "a"}}, want: map[string][]int32{"1": {0, 1, 2}, "2": {3, 4}}},
		{name: "one comes", width: 6, claims: []claim{{member: "1", name: "a", generation: 4, partitions: []int32{0, 1, 2, 3, 4, 5}}, {member: "2", name: "b"}},
			want: map[string][]int32{"1": {0, 1, 2}, "2": {3, 4, 5}}},
		{name: "one is back", width: 4, claims: []claim{
			{member: "1", name: "a", generation: 4, partitions: []int32{0, 1, 2, 3}}, {member: "2", name: "b", generation: 5, partitions: []int32{2, 3, 0, 1}}},
			want: map[string][]int32{"1": {2, 3}, "2": {0, 1}}},
		{name: "more members than numbers", width: 1, claims: []claim{
			{member: "1", name: "a"}, {member: "2", name: "b", generation: 1, partitions: []int32{0}}}, want: map[string][]int32{"2": {0}}},
		{name: "numbers that are no more", width: 2, claims: []claim{
			{member: "1", name: "a", generation: 1, partitions: []int32{7, -1}}, {member: "2", name: "b", generation: 1, partitions: []int32{0}}},
			want: map[string][]int32{"1": {1}, "2": {0}}},
		{name: "two of one generation", width: 2, claims: []claim{
			{member: "9", name: "a", generation: 1, partitions: []int32{1}}, {member: "2", name: "b", generation: 1, partitions: []int32{1}}},
			want: map[string][]int32{"9": {1}, "2": {0}}},
	} {
		got := divide(c.claims, c.width)
		for m, mine := range got {
			if len(mine) == 0 {
				delete(got, m)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %v, not %v", c.name, got, c.want)
		}
	}
}
