SELECT epoch, floor, head FROM open_feed()
