package audit

// Rules is every rule that is built, in the order of the catalogue.
var Rules = []*Rule{
	ord01, ord02, ord03, ord04, ord05, ord06, ord07, ord08, ord09,
	win01, win02, win03, win04, win05, win06, win07, win08, win09, win10, win12,
	rtx01, rtx02, rtx03, rtx04, rtx05, rtx06, rtx08, rtx09,
	del01, del02, del03, del04, del05, del06, del07, del08, del09, del10, del11, del12, del13, del14, del15, del16, del17,
	col01, col02, col07, col08,
	key01, key02, key03, key04, key05, key06,
	krn01, krn02, krn03, krn07,
	auth01, auth02, auth03, auth04, auth05, auth06, auth08, auth09,
	dos01, dos02, dos03, dos04, dos05, dos07, dos08,
	nat01, nat02, nat03, nat05,
	liv01, liv02, liv03,
	shu01, shu02, shu03, shu04, shu05, shu06, shu07, shu08, shu09,
	jrn01, jrn02, jrn03, jrn04, jrn05, jrn06, jrn07, jrn08, jrn09,
	rec01, rec02, rec03, rec04,
	aud01, aud02, aud03,
}
