UPDATE feed SET epoch = new_epoch() WHERE epoch = %(epoch)s AND head < %(head)s
