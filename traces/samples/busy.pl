#!/usr/bin/perl
# A program to look at: holds a few MiB that are partly the same in every instance and partly its
# own, says "ready", then changes some of it each second. `busy.pl NAME [SECONDS]`; it ends by
# itself.
use strict;
use warnings;

my ($name, $seconds) = @ARGV;
die "usage: busy.pl NAME [SECONDS]\n" unless defined $name;
$seconds = 120 unless defined $seconds;
$| = 1;

# Linux's Yama may keep a process's memory from all but its parents. This program has no secrets:
# prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY), whose number depends on the machine.
my ($machine) = (eval { require POSIX; (POSIX::uname())[4] } || "");
my %prctl = (x86_64 => 157, aarch64 => 167, riscv64 => 167);
eval { syscall($prctl{$machine}, 0x59616d61, -1, 0, 0, 0) } if exists $prctl{$machine};

# A small generator of its own, so that equal seeds give equal data wherever this runs.
sub text_of
{
    my ($seed, $length) = @_;
    my $state = unpack("%32C*", $seed) + 1;
    my $text = "";
    while (length($text) < $length) {
        $state = ($state * 1103515245 + 12345) & 0x7fffffff;
        $text .= sprintf("%s %08x\n", $seed, $state);
    }
    return substr($text, 0, $length);
}

# Blocks of this size get pages of their own from the C library, at the same offset in a page:
# equal blocks are equal pages.
my $block = 256 * 1024;

my @common = map { text_of("common $_", $block) } 1 .. 8;
my @own = map { text_of("$name $_", $block) } 1 .. 8;
my @empty = map { "\0" x $block } 1 .. 4;

# Small things: the same words in every instance, at addresses that are not.
my %words = map { ("word $_" => $_ * $_) } 1 .. 5000;
my @numbers = map { { number => $_, owner => $name } } 1 .. 5000;

print "ready\n";

for my $second (1 .. $seconds) {
    sleep 1;
    # A page of a common block goes its own way, and comes back two seconds later.
    my $victim = $second % @common;
    substr($common[$victim], 4096 * ($second % 60) + 512, 16) = sprintf("%-16.16s", $name);
    my $before = ($second - 2) % @common;
    substr($common[$before], 0, $block) = text_of("common " . ($before + 1), $block)
        if $second > 2;
    # A page of its own changes, a page of zeros fills, a few small things move.
    substr($own[$second % @own], 4096 * ($second % 60), 16) = sprintf("%016d", $second);
    substr($empty[$second % @empty], 4096 * ($second % 60), 8) = "no zero ";
    delete $words{"word $second"};
    $words{"$name $second"} = $second;
    $numbers[$second % @numbers]{number} = -$second;
}
