SELECT epoch, floor, head FROM feed
