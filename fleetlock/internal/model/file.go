package model

// A slot is half of the file. One with sequence number 0 is damaged: its checksum fails.
type slot struct {
	seq   uint8
	state uint8
	token uint8
	until uint8 // when the lease or the ticket ends; 0 if never
}

// What a record says.
const (
	free uint8 = iota
	held
	detached
)

// A snapshot is what a process reads: the younger of the valid slots.
type snapshot struct {
	slot
	damaged bool // the other slot is not valid, and may have been younger
}

// floor is the highest token that may have been granted.
func (v snapshot) floor() uint8 {
	if v.damaged {
		return v.token + 1
	}
	return v.token
}

// none reports whether there is no record at all.
func (v snapshot) none() bool { return v.seq == 0 }

// A file is two slots, of which each transition writes the one that is not the record.
type file [2]slot

// read is the pread of both slots. It is one step, though the kernel may copy the slots
// at different moments: what it then shows is a record that was there meanwhile, if only
// beside a slot that seems damaged.
func (f file) read(v Variant) snapshot {
	if v&InPlace != 0 {
		return snapshot{slot: f[0]}
	}
	younger, older := f[0], f[1]
	if older.seq > younger.seq {
		younger, older = older, younger
	}
	return snapshot{slot: younger, damaged: older.seq == 0}
}

// place says which slot the successor of a record goes to.
func place(seq uint8, v Variant) int {
	if v&InPlace != 0 {
		return 0
	}
	return int(seq+1) % 2
}

func (f file) damaged() bool { return f[0].seq == 0 || f[1].seq == 0 }

func (f file) destroyed() bool { return f[0].seq == 0 && f[1].seq == 0 }
