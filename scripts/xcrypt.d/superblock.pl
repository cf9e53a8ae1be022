# Reads the superblocks of a conversion; docs/rekey-format.md has the format.
#
# Usage: perl superblock.pl show SECTORS <HEAD
#            print the fields of the newest superblock, lines NAME=VALUE, or error=TEXT
#            if none is valid; SECTORS is the length of the state device
#        perl superblock.pl retire <HEAD
#            print the slot that comes next, with a superblock that retires the active batch
#
# HEAD is the first 8 KiB of the state device.  The fields may come from anybody who can
# write there: what is printed is safe in a table line and in shell arithmetic.

use strict;
use warnings;

my $SLOT = 4096;
my @FIELDS = qw(magic version checksum sequence salt owner start length shift frontier
	direction resilience done digest area_sectors batch_sectors batch_area batch_check
	old new ranges ranges_check reserved);
my $FORMAT = 'a8 V V Q< a32 a16 Q< Q< Q< Q< C C C C V V V a16 a136 a136 V V a96';

my @SIDE_FIELDS = qw(cipher iv_offset sector_size large_iv key_bytes reserved check);
my $SIDE_FORMAT = 'Z96 Q< V V V V a16';

# Numbers beyond it are no sectors.
my $LIMIT = 2 ** 53;

sub refuse
{
	print "error=$_[0]\n";
	exit;
}

sub crc32
{
	my $crc = 0xffffffff;

	for my $byte (unpack 'C*', $_[0]) {
		$crc ^= $byte;
		$crc = $crc >> 1 ^ ($crc & 1 ? 0xedb88320 : 0) for 1 .. 8;
	}
	return $crc ^ 0xffffffff;
}

# ---- a slot ------------------------------------------------------------------------

sub parse
{
	my ($slot) = @_;
	my %super;

	@super{@FIELDS} = unpack $FORMAT, $slot;
	$super{blank} = substr($slot, 0, 512) !~ /[^\0]/;
	# the list is behind the superblock
	$super{slot} = $slot;
	for my $side ('old', 'new') {
		my %side;
		@side{@SIDE_FIELDS} = unpack $SIDE_FORMAT, $super{$side};
		$super{"${side}_$_"} = $side{$_} for @SIDE_FIELDS;
	}
	return \%super;
}

sub print_super
{
	my ($super) = @_;

	return pack $FORMAT, @$super{@FIELDS};
}

sub checksum
{
	return crc32(print_super({ %{$_[0]}, checksum => 0 }));
}

# [FROM, TO] of each range on the list
sub ranges
{
	my ($super) = @_;
	my @numbers = unpack 'Q<*', substr($super->{slot}, 512, 16 * $super->{ranges});
	my @ranges;

	while (my ($start, $sectors) = splice @numbers, 0, 2) {
		push @ranges, [$start, $start + $sectors];
	}
	return @ranges;
}

# ---- which one counts --------------------------------------------------------------

sub is_valid
{
	my ($super, $index) = @_;

	return $super->{magic} eq 'xc-rekey' && $super->{sequence} &&
		($super->{sequence} - 1) % 2 == $index && $super->{checksum} == checksum($super);
}

sub newest
{
	my ($a, $b) = @_;

	refuse('it holds no state') if $a->{blank} && $b->{blank};
	refuse('it holds something else than a state') if $a->{magic} ne 'xc-rekey';
	refuse('the state is of a newer version of xcrypt')
		if grep { $_->{magic} eq 'xc-rekey' && $_->{version} > 1 } $a, $b;
	refuse('the state is damaged') unless is_valid($a, 0);
	# only while a conversion begins
	return $a if $a->{sequence} == 1 && $b->{blank};
	refuse('the state is damaged') unless is_valid($b, 1) && $a->{salt} eq $b->{salt} &&
		abs($a->{sequence} - $b->{sequence}) == 1;
	return $a->{sequence} > $b->{sequence} ? $a : $b;
}

# ---- whether it makes sense --------------------------------------------------------

sub side_is_sane
{
	my ($super, $side) = @_;
	my $size = $super->{"${side}_sector_size"};

	return $super->{"${side}_cipher"} =~ /^[a-zA-Z0-9_:(),.-]{1,95}$/ &&
		$size =~ /^(512|1024|2048|4096)$/ && $super->{"${side}_large_iv"} <= 1 &&
		$super->{"${side}_key_bytes"} <= 4096 && $super->{"${side}_iv_offset"} < $LIMIT;
}

# in sectors
sub unit
{
	my ($super) = @_;
	my ($old, $new) = @$super{'old_sector_size', 'new_sector_size'};

	return ($old > $new ? $old : $new) / 512;
}

sub batch_max
{
	my ($super) = @_;
	my $unit = unit($super);
	my $units = int($super->{area_sectors} * 512 / ($super->{resilience} ? $unit * 512 : 16));

	return ($units < 16384 ? $units : 16384) * $unit;
}

sub position_is_sane
{
	my ($super) = @_;
	my ($length, $frontier, $batch) = @$super{qw(length frontier batch_sectors)};

	return $super->{start} < $LIMIT && $length < $LIMIT && $frontier <= $length &&
		$batch <= $length - $frontier && !grep({ $_ % unit($super) } $length, $frontier, $batch) &&
		$batch <= batch_max($super) && $super->{batch_area} < 2 &&
		(!$super->{done} || $frontier == $length);
}

sub ranges_are_sane
{
	my ($super) = @_;
	my $limit = $super->{frontier} + $super->{batch_sectors};
	my $last = -1;

	return if $super->{ranges} > 224 || ($super->{ranges} && $super->{done}) ||
		crc32(substr $super->{slot}, 512, 16 * $super->{ranges}) != $super->{ranges_check};
	for my $range (ranges($super)) {
		my ($from, $to) = @$range;
		return if $from <= $last || $to <= $from || $to > $limit || grep { $_ % unit($super) } $from, $to;
		$last = $to;
	}
	return 1;
}

sub check
{
	my ($super, $sectors) = @_;
	my $area = $super->{area_sectors};

	refuse('the state needs a newer version of xcrypt')
		if $super->{direction} || $super->{shift} || $super->{resilience} > 1 || $super->{digest} != 1;
	refuse('it is shorter than the state on it') if 16 + 2 * $area > $sectors;
	refuse('the state is damaged') unless
		side_is_sane($super, 'old') && side_is_sane($super, 'new') &&
		$area && $area <= 32768 && $area % 8 == 0 &&
		position_is_sane($super) && ranges_are_sane($super) &&
		# a digest proves something only with a key
		($super->{resilience} || $super->{new_key_bytes});
}

# ---- what is printed ---------------------------------------------------------------

sub show
{
	my ($super) = @_;
	my %fields = map { $_ => $super->{$_} } qw(sequence start length frontier done);

	$fields{batch} = $super->{batch_sectors};
	$fields{area} = 16 + $super->{batch_area} * $super->{area_sectors};
	$fields{resilience} = $super->{resilience} ? 'journal' : 'checksum';
	$fields{unit} = unit($super);
	$fields{skipped} = join ' ', map { "$_->[0]-$_->[1]" } ranges($super);
	$fields{$_} = unpack 'H*', $super->{$_} for qw(salt batch_check old_check new_check);
	for my $side ('old', 'new') {
		$fields{"${side}_$_"} = $super->{"${side}_$_"} for qw(cipher iv_offset sector_size large_iv key_bytes);
	}
	print "$_=$fields{$_}\n" for sort keys %fields;
}

sub random
{
	open my $file, '<:raw', '/dev/urandom' or die "/dev/urandom: $!\n";
	read($file, my $bytes, $_[0]) == $_[0] or die "/dev/urandom: $!\n";
	return $bytes;
}

# as the module's recovery does
sub retire
{
	my ($super) = @_;

	$super->{sequence}++;
	$super->{owner} = random(16);
	$super->{frontier} += $super->{batch_sectors};
	$super->{batch_sectors} = 0;
	$super->{batch_check} = "\0" x 16;
	$super->{done} = $super->{frontier} == $super->{length} && !$super->{ranges} ? 1 : 0;
	$super->{checksum} = checksum($super);
	print print_super($super), substr($super->{slot}, 512);
}

my ($command, $sectors) = @ARGV;
binmode STDIN;
binmode STDOUT;
read(STDIN, my $head, 2 * $SLOT) == 2 * $SLOT or refuse('it is too short');
my $super = newest(map { parse(substr $head, $_ * $SLOT, $SLOT) } 0, 1);

if ($command eq 'show') {
	check($super, $sectors);
	show($super);
} else {
	retire($super);
}
