package main

import "testing"

func TestARegisterThatIsNoneIsAMistake(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"mysql://a", "etcd://", "etcd://a:2379?cacert=ca.pem", "etcd://a:2379/prefix", "etcds://a:2379", "postgres://%", "a"} {
		if registerMistake(text) == "" {
			t.Errorf("-register takes %q", text)
		}
	}
	for _, text := range []string{"", "postgres://a/b", "postgresql://a/b", "etcd://a:2379,b:2379", "etcd://me:secret@a:2379,b:2379"} {
		if mistake := registerMistake(text); mistake != "" {
			t.Errorf("-register refuses %q: %s", text, mistake)
		}
	}
}
